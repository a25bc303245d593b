/** Digests of object bytes, computed while they pass. */
import { createHash, hash } from 'node:crypto';
import { Blake3Hasher, blake3 } from '@napi-rs/blake-hash';
import { asBuffer } from './buffers.ts';

/** Lower-case hex of MD5 (16 bytes) and BLAKE3-256 (32 bytes). */
export type Digests = { readonly md5: string; readonly blake3: string };

/** Digests of bytes that are all there: a third of the cost of the streaming form at 4 KiB. */
export function digestBytes(bytes: Uint8Array): Digests {
  const buffer = asBuffer(bytes);
  return { md5: hash('md5', buffer, 'hex'), blake3: blake3(buffer).toString('hex') };
}

/** Digests of bytes that come in pieces; `finish` may be called once. */
export class StreamDigester {
  readonly #md5 = createHash('md5');
  readonly #blake3 = new Blake3Hasher();

  update(chunk: Uint8Array): void {
    this.#md5.update(chunk);
    this.#blake3.update(asBuffer(chunk));
  }

  finish(): Digests {
    return { md5: this.#md5.digest('hex'), blake3: this.#blake3.digest('hex') };
  }
}
