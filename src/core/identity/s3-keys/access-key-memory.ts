/**
 * What a process remembers of the S3 keys at work, so that a request neither decrypts a secret nor
 * writes a row: opened secrets, and when a use was last noted. It holds nothing that stands in the
 * way of a revocation: the key's row is asked for at every request.
 */
import { S3_KEYS_REMEMBERED_MAX } from '../../limits.ts';

export class AccessKeyMemory {
  readonly #secrets = new Map<string, string>();
  readonly #uses = new Map<string, number>();

  /** The secret of a ciphertext, which `open` is asked for once. */
  secretOf(ciphertext: string, open: () => string): string {
    const known = this.#secrets.get(ciphertext);
    if (known !== undefined) return known;
    const secret = open();
    keep(this.#secrets, ciphertext, secret);
    return secret;
  }

  /** Whether no use was noted since `since`; then one is noted now. */
  takeNote(accessKeyId: string, now: number, since: number): boolean {
    const noted = this.#uses.get(accessKeyId);
    if (noted !== undefined && noted > since) return false;
    keep(this.#uses, accessKeyId, now);
    return true;
  }
}

/** Forgets everything when it is full: the working keys are back after a request each. */
function keep<V>(map: Map<string, V>, name: string, value: V): void {
  if (map.size >= S3_KEYS_REMEMBERED_MAX) map.clear();
  map.set(name, value);
}
