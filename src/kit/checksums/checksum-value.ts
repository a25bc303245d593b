/** Checksums as headers and XML write them: base64 of big-endian bytes. */
import { asBuffer } from '../buffers.ts';
import { CHECKSUM_BYTES, type ChecksumAlgorithm } from './checksum-algorithms.ts';

/** Padded base64 of a checksum's bytes. */
export function formatChecksumValue(checksum: Uint8Array): string {
  return asBuffer(checksum).toString('base64');
}

/**
 * The bytes of a checksum of `algorithm`; `undefined` unless the text is their one padded base64:
 * no blanks, no letters of the other alphabet, no spare bits, the right length.
 */
export function parseChecksumValue(
  algorithm: ChecksumAlgorithm,
  text: string,
): Uint8Array | undefined {
  const sizeBytes = CHECKSUM_BYTES[algorithm];
  if (text.length !== Math.ceil(sizeBytes / 3) * 4) return undefined;
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length !== sizeBytes || bytes.toString('base64') !== text) return undefined;
  return new Uint8Array(bytes);
}
