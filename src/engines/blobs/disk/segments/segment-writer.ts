/**
 * Appends small blobs in groups: while one group is being synced the next is written behind it, and
 * each sync serves every record written before it began.
 */
import { crc32 } from '@node-rs/crc32';
import type { BlobId, BlobLocation } from '../../../../core/ids.ts';
import type { DiskFile } from '../disk-io.ts';
import type { LoopPace } from '../loop-pace.ts';
import type { Segment } from './segment.ts';
import { encodeRecordHeader, formatPlace, RECORD_HEADER_BYTES } from './segment-format.ts';

/** A group larger than this is cut: its members would wait for each other too long. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;
/** The limit of buffers in one system call is 1024; each record takes up to a few. */
const GROUP_RECORDS_MAX = 256;
/** A start reads the newest segment record by record; so many take a quarter of a second. */
const SEGMENT_RECORDS_MAX = 65_536;

/** What is copied into the system's cache in a tenth of a millisecond. */
const WRITE_NOW_BYTES_MAX = 1024 * 1024;

export type SegmentSource = {
  /** A new segment whose head and name are durable, open for appending. */
  readonly roll: () => Promise<{ readonly segment: Segment; readonly file: DiskFile }>;
  readonly segmentBytesMax: number;
  readonly writePace: LoopPace;
  /** Throws once a sync has failed: a later one would promise what the system has dropped. */
  readonly assertWritable: () => void;
  readonly failWrite: (error: unknown) => unknown;
  readonly failSync: (error: unknown) => unknown;
  readonly onGroup: (records: number, bytes: number) => void;
};

/** Where a record has become durable. */
export type Appended = { readonly segment: Segment; readonly location: BlobLocation };

type Pending = {
  readonly blobId: BlobId;
  readonly bytes: Uint8Array;
  readonly resolve: (appended: Appended) => void;
  readonly reject: (error: unknown) => void;
};

type Written = Pending & { readonly appended: Appended };

type Active = {
  readonly segment: Segment;
  readonly file: DiskFile;
  positionBytes: number;
  /** Records that this process has appended. */
  records: number;
  /** Whether a write that failed may have left bytes behind the position. */
  hasRest: boolean;
};

export class SegmentWriter {
  readonly #source: SegmentSource;
  #active: Active | undefined;
  #queue: Pending[] = [];
  #unsynced: Written[] = [];
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;

  constructor(source: SegmentSource, active?: { segment: Segment; file: DiskFile }) {
    this.#source = source;
    if (active !== undefined) {
      this.#active = {
        ...active,
        positionBytes: active.segment.endBytes,
        records: 0,
        hasRest: false,
      };
    }
  }

  /** Resolves once the record is durable. Its bytes belong to the writer until then. */
  append(blobId: BlobId, bytes: Uint8Array): Promise<Appended> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ blobId, bytes, resolve, reject });
      this.#writing ??= this.#writeGroups();
    });
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    while (this.#writing !== undefined || this.#syncing !== undefined) {
      await this.#writing;
      await this.#syncing;
    }
  }

  /**
   * NOTE: it says that it has ended in the same turn in which it finds the queue empty; a record
   * that came between the two would wait for a loop that nobody starts. The same holds for syncing.
   */
  async #writeGroups(): Promise<void> {
    // Requests that arrive in the same turn of the loop go into one group.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#takeGroup();
      try {
        this.#source.assertWritable();
        await this.#writeGroup(group);
      } catch (error) {
        const failure = this.#source.failWrite(error);
        for (const member of group) member.reject(failure);
        continue;
      }
      this.#syncing ??= this.#syncGroups();
    }
    this.#writing = undefined;
  }

  #takeGroup(): readonly Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { bytes: body } of this.#queue) {
      bytes += body.byteLength + RECORD_HEADER_BYTES;
      if (count > 0 && (bytes > GROUP_BYTES_MAX || count === GROUP_RECORDS_MAX)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #writeGroup(group: readonly Pending[]): Promise<void> {
    const headers = Buffer.allocUnsafe(group.length * RECORD_HEADER_BYTES);
    const chunks: Uint8Array[] = [];
    let groupBytes = 0;
    for (const [index, { blobId, bytes }] of group.entries()) {
      const at = index * RECORD_HEADER_BYTES;
      encodeRecordHeader(headers, at, { blobId, sizeBytes: bytes.byteLength, crc: crc32(bytes) });
      chunks.push(headers.subarray(at, at + RECORD_HEADER_BYTES), bytes);
      groupBytes += RECORD_HEADER_BYTES + bytes.byteLength;
    }
    const active = await this.#activeFor({ bytes: groupBytes, records: group.length });
    const start = active.positionBytes;
    const { file } = active;
    try {
      // Into the system's cache a little is written faster than a thread is asked to do it.
      const { writeNow } = file;
      const written =
        groupBytes <= WRITE_NOW_BYTES_MAX && writeNow !== undefined
          ? this.#source.writePace.run(
              () => writeNow(chunks, start),
              () => file.write(chunks, start),
            )
          : file.write(chunks, start);
      if (typeof written !== 'number') await written;
    } catch (error) {
      // Only a whole write moves the end: after a failed one the next group writes over its rest.
      active.hasRest = true;
      throw error;
    }
    active.positionBytes = start + groupBytes;
    active.records += group.length;
    let offset = start;
    for (const member of group) {
      const location = formatPlace({ segment: active.segment.number, offset });
      this.#unsynced.push({ ...member, appended: { segment: active.segment, location } });
      offset += RECORD_HEADER_BYTES + member.bytes.byteLength;
    }
  }

  async #activeFor(group: { readonly bytes: number; readonly records: number }): Promise<Active> {
    const { segmentBytesMax } = this.#source;
    if (this.#active !== undefined) {
      const { positionBytes, records } = this.#active;
      const hasRoom =
        positionBytes + group.bytes <= segmentBytesMax &&
        records + group.records <= SEGMENT_RECORDS_MAX;
      if (hasRoom) return this.#active;
      // Only the newest segment may have an unsynced tail: recovery looks at no other.
      while (this.#syncing !== undefined) await this.#syncing;
      // When that sync has failed nobody knows what is behind: no other segment may follow.
      this.#source.assertWritable();
      await this.#cutRest(this.#active);
      this.#active = undefined;
    }
    const { segment, file } = await this.#source.roll();
    this.#active = { segment, file, positionBytes: segment.endBytes, records: 0, hasRest: false };
    return this.#active;
  }

  /** A start takes a sealed segment as it is: nothing may be left behind its last record. */
  async #cutRest({ file, positionBytes, hasRest }: Active): Promise<void> {
    if (!hasRest) return;
    await file.truncate(positionBytes);
    try {
      await file.syncBytes();
    } catch (error) {
      throw this.#source.failSync(error);
    }
  }

  async #syncGroups(): Promise<void> {
    // Never ends within the call that starts it, which keeps it as the one that runs.
    await Promise.resolve();
    while (this.#unsynced.length > 0) {
      const written = this.#unsynced;
      this.#unsynced = [];
      const active = this.#active;
      const endBytes = active?.positionBytes ?? 0;
      try {
        this.#source.assertWritable();
        await active?.file.syncBytes();
      } catch (error) {
        const failure = this.#source.failSync(error);
        for (const member of written) member.reject(failure);
        continue;
      }
      if (active !== undefined) active.segment.endBytes = endBytes;
      let bytes = 0;
      for (const { appended, ...member } of written) {
        bytes += member.bytes.byteLength;
        appended.segment.unpublished += 1;
        appended.segment.liveBytes += RECORD_HEADER_BYTES + member.bytes.byteLength;
        member.resolve(appended);
      }
      this.#source.onGroup(written.length, bytes);
    }
    this.#syncing = undefined;
  }
}
