/** The segment, version 1 (docs/formats/segment.md): head, record headers, locations. */
import { crc32 } from '@node-rs/crc32';
import type { BlobId, BlobLocation } from '../../../../core/ids.ts';

export const HEAD_BYTES = 32;
export const RECORD_HEADER_BYTES = 32;
/** A larger blob gets a file of its own: beyond this a segment saves nothing (decision 0002). */
export const SEGMENT_BLOB_BYTES_MAX = 256 * 1024;

const HEAD_MAGIC = Buffer.from('PFSEG1\n\0', 'latin1');
/** `PFR\x01` as a little-endian number. */
const RECORD_MAGIC = 0x01524650;
export const RECORD_MAGIC_BYTES = Buffer.from('PFR\x01', 'latin1');

/** Number of a segment. */
export type SegmentNumber = number;

export type RecordHeader = {
  readonly blobId: BlobId;
  readonly sizeBytes: number;
  readonly crc: number;
};

/** Where a record is, as its blob's row says it. */
export type RecordPlace = { readonly segment: SegmentNumber; readonly offset: number };

export function formatPlace(place: RecordPlace): BlobLocation {
  return `s1.${place.segment}.${place.offset}` as BlobLocation;
}

/** What the locations of all records of a segment begin with. */
export function placePrefix(segment: SegmentNumber): string {
  return `s1.${segment}.`;
}

export function parsePlace(location: BlobLocation): RecordPlace | undefined {
  if (!location.startsWith('s1.')) return undefined;
  const dot = location.indexOf('.', 3);
  const segment = Number(location.slice(3, dot));
  const offset = Number(location.slice(dot + 1));
  const isPlace = dot > 3 && Number.isSafeInteger(segment) && Number.isSafeInteger(offset);
  return isPlace ? { segment, offset } : undefined;
}

export function segmentFileName(segment: SegmentNumber): string {
  return segment.toString(16).padStart(8, '0');
}

export function parseSegmentFileName(name: string): SegmentNumber | undefined {
  return /^[0-9a-f]{8}$/.test(name) ? Number.parseInt(name, 16) : undefined;
}

export function encodeHead(segment: SegmentNumber, createdAtMs: number): Buffer<ArrayBuffer> {
  const head = Buffer.alloc(HEAD_BYTES);
  HEAD_MAGIC.copy(head, 0);
  head.writeUInt32LE(segment, 8);
  head.writeBigUInt64LE(BigInt(createdAtMs), 16);
  head.writeUInt32LE(crc32(head.subarray(0, 28)), 28);
  return head;
}

export function isHeadOf(head: Buffer, segment: SegmentNumber): boolean {
  return (
    head.length === HEAD_BYTES &&
    head.readUInt32LE(28) === crc32(head.subarray(0, 28)) &&
    head.subarray(0, 8).equals(HEAD_MAGIC) &&
    head.readUInt32LE(8) === segment
  );
}

/** Writes a record's header into `target` at `at`. */
export function encodeRecordHeader(target: Buffer, at: number, header: RecordHeader): void {
  target.writeUInt32LE(RECORD_MAGIC, at);
  target.writeUInt32LE(0, at + 4);
  target.writeUInt32LE(0, at + 8);
  target.writeUInt32LE(header.blobId % 0x1_0000_0000, at + 12);
  target.writeUInt32LE(Math.floor(header.blobId / 0x1_0000_0000), at + 16);
  target.writeUInt32LE(header.sizeBytes, at + 20);
  target.writeUInt32LE(header.crc, at + 24);
  target.writeUInt32LE(crc32(target.subarray(at, at + 28)), at + 28);
}

/** The header at `at`, or `undefined` when none whole stands there. */
export function decodeRecordHeader(bytes: Buffer, at: number): RecordHeader | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length) return undefined;
  if (bytes.readUInt32LE(at) !== RECORD_MAGIC) return undefined;
  if (bytes.readUInt32LE(at + 28) !== crc32(bytes.subarray(at, at + 28))) return undefined;
  const blobId = bytes.readUInt32LE(at + 12) + bytes.readUInt32LE(at + 16) * 0x1_0000_0000;
  const sizeBytes = bytes.readUInt32LE(at + 20);
  if (!Number.isSafeInteger(blobId) || sizeBytes > SEGMENT_BLOB_BYTES_MAX) return undefined;
  return { blobId: blobId as BlobId, sizeBytes, crc: bytes.readUInt32LE(at + 24) };
}
