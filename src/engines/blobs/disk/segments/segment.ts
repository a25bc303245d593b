/** One segment file: open for reading while anyone needs it, unlinked when nobody names it. */
import { crc32 } from '@node-rs/crc32';
import type { BlobRef } from '../../../../core/ports/blob-store.ts';
import { corruptBlob } from '../corrupt-blob.ts';
import type { DiskFile, DiskIo } from '../disk-io.ts';
import type { LoopPace } from '../loop-pace.ts';
import { decodeRecordHeader, RECORD_HEADER_BYTES, type SegmentNumber } from './segment-format.ts';
import type { Warmth } from './warmth.ts';

export class Segment {
  readonly number: SegmentNumber;
  readonly path: string;
  /** Bytes that are written and synced. */
  endBytes: number;
  /** Bytes of records (headers too) that rows name, as far as is known. */
  liveBytes = 0;
  /** Records whose rows are not published yet; while there are any it is not compacted. */
  unpublished = 0;
  readonly #io: DiskIo;
  readonly #warmth: Warmth;
  readonly #readPace: LoopPace;
  #file: DiskFile | undefined;
  #opening: Promise<DiskFile> | undefined;
  #leases = 0;
  #isUnlinked = false;

  constructor(
    io: DiskIo,
    at: {
      readonly number: SegmentNumber;
      readonly path: string;
      readonly endBytes: number;
      readonly warmth: Warmth;
      readonly readPace: LoopPace;
    },
    file?: DiskFile,
  ) {
    this.#io = io;
    this.#warmth = at.warmth;
    this.#readPace = at.readPace;
    this.number = at.number;
    this.path = at.path;
    this.endBytes = at.endBytes;
    this.#file = file;
  }

  get leases(): number {
    return this.#leases;
  }

  get isOpen(): boolean {
    return this.#file !== undefined;
  }

  /** Keeps the file readable until `release`, also when it is unlinked. */
  async lease(): Promise<void> {
    this.#leases += 1;
    if (this.#file !== undefined) return;
    try {
      await this.file();
    } catch (error) {
      this.#leases -= 1;
      throw error;
    }
  }

  async release(): Promise<void> {
    this.#leases -= 1;
    if (this.#isUnlinked) await this.closeIdle();
  }

  /** The file, opened when it is not. */
  file(): DiskFile | Promise<DiskFile> {
    if (this.#file !== undefined) return this.#file;
    this.#opening ??= this.#io
      .openFile(this.path)
      .then((file) => {
        this.#file = file;
        return file;
      })
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  /** Reads a whole record and checks it; throws `corrupt`. The caller holds a lease. */
  async readRecord(blob: BlobRef, offset: number): Promise<Buffer> {
    const record = Buffer.allocUnsafe(RECORD_HEADER_BYTES + blob.sizeBytes);
    const file = this.#file ?? (await this.file());
    // What was touched of late is in the system's cache, and read faster than a thread is asked to.
    const isWarm = this.#warmth.touch(this.number, offset, record.length);
    const { readNow } = file;
    const read =
      isWarm && readNow !== undefined
        ? this.#readPace.run(
            () => readNow(record, offset),
            () => file.read(record, offset),
          )
        : file.read(record, offset);
    return checkRecord(blob, record, typeof read === 'number' ? read : await read);
  }

  /** Takes the name away; readers that have leased it finish on the file. */
  async unlink(): Promise<void> {
    await this.#io.removeFile(this.path);
    this.#isUnlinked = true;
    await this.closeIdle();
  }

  /** Closes the file when nobody reads it; it is opened again at need. */
  async closeIdle(): Promise<void> {
    if (this.#leases > 0 || this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    await file.close();
  }
}

/** The bytes of a record that was read, checked; throws `corrupt`. */
export function checkRecord(blob: BlobRef, record: Buffer, filledBytes: number): Buffer {
  if (filledBytes !== record.length) {
    throw corruptBlob(blob, 'its record is shorter than its row says');
  }
  const header = decodeRecordHeader(record, 0);
  if (header?.blobId !== blob.blobId || header.sizeBytes !== blob.sizeBytes) {
    throw corruptBlob(blob, 'its record header is damaged');
  }
  const bytes = record.subarray(RECORD_HEADER_BYTES);
  if (crc32(bytes) !== header.crc) throw corruptBlob(blob, 'its record fails its checksum');
  return bytes;
}
