/** Checksums of bytes that come in pieces, of bytes that are all there, and of parts. */
import { createHash, hash } from 'node:crypto';
import { crc32, crc32c } from '@node-rs/crc32';
import { asBuffer } from '../buffers.ts';
import type { ChecksumAlgorithm } from './checksum-algorithms.ts';
import { crc64Nvme } from './crc64-nvme.ts';
import { isXxhashAlgorithm, loadXxhash, OpenXxhash, xxhashOf } from './xxhash.ts';

/** A checksum on its way; `digest` may be called once, and nothing after it. */
export type OpenChecksum = {
  update(chunk: Uint8Array): void;
  /** The checksum's bytes, big-endian. */
  digest(): Uint8Array;
};

/**
 * Loads what `algorithms` need beyond what is there; awaited before the functions below are called
 * with them. `undefined`: nothing.
 */
export function prepareChecksums(
  algorithms: readonly ChecksumAlgorithm[],
): Promise<void> | undefined {
  return algorithms.some(isXxhashAlgorithm) ? loadXxhash() : undefined;
}

/** Begins a checksum. Chunks are read during `update` and not kept. */
export function openChecksum(algorithm: ChecksumAlgorithm): OpenChecksum {
  switch (algorithm) {
    case 'CRC32':
      return new OpenCrc32(crc32);
    case 'CRC32C':
      return new OpenCrc32(crc32c);
    case 'CRC64NVME':
      return new OpenCrc64();
    case 'SHA1':
    case 'SHA256':
    case 'SHA512':
    case 'MD5':
      return createHash(algorithm);
    case 'XXHASH64':
    case 'XXHASH3':
    case 'XXHASH128':
      return new OpenXxhash(algorithm);
  }
}

/** The checksum of bytes that are all there. */
export function checksumOf(algorithm: ChecksumAlgorithm, bytes: Uint8Array): Uint8Array {
  switch (algorithm) {
    case 'CRC32':
      return bytesOf32(crc32(asBuffer(bytes)));
    case 'CRC32C':
      return bytesOf32(crc32c(asBuffer(bytes)));
    case 'CRC64NVME':
      return bytesOf64(crc64Nvme(bytes));
    case 'SHA1':
    case 'SHA256':
    case 'SHA512':
    case 'MD5':
      return hash(algorithm, asBuffer(bytes), 'buffer');
    case 'XXHASH64':
    case 'XXHASH3':
    case 'XXHASH128':
      return xxhashOf(algorithm, bytes);
  }
}

/**
 * What S3 calls a COMPOSITE checksum of a multipart object, without the `-N` that follows it: the
 * checksum over the bytes of the parts' checksums.
 */
export function compositeChecksum(
  algorithm: ChecksumAlgorithm,
  parts: readonly Uint8Array[],
): Uint8Array {
  return checksumOf(algorithm, Buffer.concat(parts));
}

class OpenCrc32 implements OpenChecksum {
  readonly #crc: typeof crc32;
  #value = 0;

  constructor(crc: typeof crc32) {
    this.#crc = crc;
  }

  update(chunk: Uint8Array): void {
    this.#value = this.#crc(asBuffer(chunk), this.#value);
  }

  digest(): Uint8Array {
    return bytesOf32(this.#value);
  }
}

class OpenCrc64 implements OpenChecksum {
  #value = 0n;

  update(chunk: Uint8Array): void {
    this.#value = crc64Nvme(chunk, this.#value);
  }

  digest(): Uint8Array {
    return bytesOf64(this.#value);
  }
}

function bytesOf32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function bytesOf64(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}
