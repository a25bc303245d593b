/** The one source of randomness, so that tests can seed it. */
export interface Random {
  /** `length` bytes fit for keys and tokens. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}
