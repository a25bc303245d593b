/** Digests of object bytes, computed while they pass. */
import { createHash, hash } from 'node:crypto';
import { Blake3Hasher, blake3 } from '@napi-rs/blake-hash';
import { asBuffer } from './buffers.ts';
import type { ChecksumAlgorithm } from './checksums/checksum-algorithms.ts';
import { formatChecksumValue } from './checksums/checksum-value.ts';
import { checksumOf, type OpenChecksum, openChecksum } from './checksums/open-checksum.ts';

/** What is made besides MD5 and BLAKE3, which always are. */
export type DigestWishes = {
  readonly isSha256Wanted: boolean;
  readonly checksum: ChecksumAlgorithm | undefined;
};

/** Lower-case hex of MD5 (16 bytes), BLAKE3-256 and SHA-256 (32 bytes). */
export type Digests = {
  readonly md5: string;
  readonly blake3: string;
  /** Only when it was wished for. */
  readonly sha256: string | undefined;
  /** Base64, by the algorithm that was wished for. */
  readonly checksum: string | undefined;
};

export const NO_WISHES: DigestWishes = { isSha256Wanted: false, checksum: undefined };

/** Digests of bytes that are all there: a third of the cost of the streaming form at 4 KiB. */
export function digestBytes(bytes: Uint8Array, wishes: DigestWishes = NO_WISHES): Digests {
  const buffer = asBuffer(bytes);
  const { checksum } = wishes;
  return {
    md5: hash('md5', buffer, 'hex'),
    blake3: blake3(buffer).toString('hex'),
    sha256: wishes.isSha256Wanted ? hash('sha256', buffer, 'hex') : undefined,
    checksum: checksum && formatChecksumValue(checksumOf(checksum, buffer)),
  };
}

/** Digests of bytes that come in pieces; `finish` may be called once. */
export class StreamDigester {
  readonly #md5 = createHash('md5');
  readonly #blake3 = new Blake3Hasher();
  readonly #sha256;
  readonly #checksum: OpenChecksum | undefined;

  constructor({ isSha256Wanted, checksum }: DigestWishes = NO_WISHES) {
    this.#sha256 = isSha256Wanted ? createHash('sha256') : undefined;
    this.#checksum = checksum && openChecksum(checksum);
  }

  update(chunk: Uint8Array): void {
    this.#md5.update(chunk);
    this.#blake3.update(asBuffer(chunk));
    this.#sha256?.update(chunk);
    this.#checksum?.update(chunk);
  }

  finish(): Digests {
    return {
      md5: this.#md5.digest('hex'),
      blake3: this.#blake3.digest('hex'),
      sha256: this.#sha256?.digest('hex'),
      checksum: this.#checksum && formatChecksumValue(this.#checksum.digest()),
    };
  }
}
