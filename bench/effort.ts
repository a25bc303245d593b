/** How long rows run and how much they look through. */

export type Effort = {
  readonly runMs: number;
  /** What the server does of a row before its first run counts: compilers and caches get warm. */
  readonly warmMs: number;
  readonly listKeys: number;
  /** The same for peers that take minutes to store as many. */
  readonly listKeysOfPeers: number;
  /** A power of two: of how many objects reads go round at most. */
  readonly readCountMax: number;
};
