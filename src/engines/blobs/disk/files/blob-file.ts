/** The blob file, version 1 (docs/formats/blob-file.md): paths, footer, block sums. */
import { crc32 } from '@node-rs/crc32';
import type { BlobId, BlobLocation } from '../../../../core/ids.ts';
import { asBuffer } from '../../../../kit/buffers.ts';

export const BLOCK_BYTES = 65_536;
export const TAIL_BYTES = 28;
const MAGIC = Buffer.from('PFBLOB1\n', 'latin1');

/** The location text of blobs that stand in a file of version 1. */
export const FILE_LOCATION = 'f1' as BlobLocation;

export function blobFileName(blobId: BlobId): string {
  return blobId.toString(16).padStart(16, '0');
}

/** The two folders above a blob's file, from the top. */
export function blobFolders(blobId: BlobId): readonly [string, string] {
  const name = blobFileName(blobId);
  return [name.slice(10, 12), name.slice(12, 14)];
}

export function parseBlobFileName(name: string): BlobId | undefined {
  if (!/^[0-9a-f]{16}$/.test(name)) return undefined;
  const id = Number.parseInt(name, 16);
  return Number.isSafeInteger(id) ? (id as BlobId) : undefined;
}

export function blockCount(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK_BYTES);
}

/** Length of the file of a blob of `sizeBytes`. */
export function blobFileBytes(sizeBytes: number): number {
  return sizeBytes + 4 * blockCount(sizeBytes) + TAIL_BYTES;
}

/** Sums blocks of 64 KiB over chunks of any size. */
export class BlockSums {
  readonly #sums: number[] = [];
  #open = 0;
  #openBytes = 0;

  update(chunk: Uint8Array): void {
    const bytes = asBuffer(chunk);
    let at = 0;
    while (at < bytes.length) {
      const take = Math.min(bytes.length - at, BLOCK_BYTES - this.#openBytes);
      this.#open = crc32(bytes.subarray(at, at + take), this.#open);
      this.#openBytes += take;
      at += take;
      if (this.#openBytes === BLOCK_BYTES) this.#closeBlock();
    }
  }

  /** Closes the last block and gives all sums. */
  finish(): readonly number[] {
    if (this.#openBytes > 0) this.#closeBlock();
    return this.#sums;
  }

  #closeBlock(): void {
    this.#sums.push(this.#open);
    this.#open = 0;
    this.#openBytes = 0;
  }
}

export function encodeFooter(
  blobId: BlobId,
  sizeBytes: number,
  sums: readonly number[],
): Buffer<ArrayBuffer> {
  const footer = Buffer.alloc(4 * sums.length + TAIL_BYTES);
  sums.forEach((sum, index) => {
    footer.writeUInt32LE(sum, 4 * index);
  });
  let at = 4 * sums.length;
  at += MAGIC.copy(footer, at);
  at = footer.writeBigUInt64LE(BigInt(blobId), at);
  at = footer.writeBigUInt64LE(BigInt(sizeBytes), at);
  footer.writeUInt32LE(crc32(footer.subarray(0, at)), at);
  return footer;
}

/** Block sums out of a footer, or `undefined` when it is damaged or another blob's. */
export function decodeFooter(
  footer: Buffer,
  expected: { readonly blobId: BlobId; readonly sizeBytes: number },
): Uint32Array | undefined {
  const count = blockCount(expected.sizeBytes);
  const tail = 4 * count;
  if (footer.length !== tail + TAIL_BYTES) return undefined;
  const isWhole =
    footer.readUInt32LE(footer.length - 4) === crc32(footer.subarray(0, footer.length - 4)) &&
    footer.subarray(tail, tail + 8).equals(MAGIC) &&
    footer.readBigUInt64LE(tail + 8) === BigInt(expected.blobId) &&
    footer.readBigUInt64LE(tail + 16) === BigInt(expected.sizeBytes);
  if (!isWhole) return undefined;
  const sums = new Uint32Array(count);
  for (let index = 0; index < count; index += 1) sums[index] = footer.readUInt32LE(4 * index);
  return sums;
}

/** Bytes of data in a whole blob file of `fileBytes`; 0 for a torn one. */
export function sizeInBlobFile(fileBytes: number): number {
  const rest = fileBytes - TAIL_BYTES;
  if (rest <= 0) return 0;
  const sizeBytes = rest - 4 * Math.ceil(rest / (BLOCK_BYTES + 4));
  return sizeBytes >= 0 && blobFileBytes(sizeBytes) === fileBytes ? sizeBytes : 0;
}
