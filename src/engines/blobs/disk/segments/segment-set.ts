/**
 * All segments of a store: the newest is written to, the others are read, compacted and removed.
 */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { BlobId, BlobLocation } from '../../../../core/ids.ts';
import type { BlobRef } from '../../../../core/ports/blob-store.ts';
import type { BlobRows } from '../../../../core/ports/metadata/objects.ts';
import { SyncUnreached } from '../../../data-directory/durable-file.ts';
import { isErrno, translateOpenError } from '../../../errno.ts';
import { blobGone } from '../corrupt-blob.ts';
import type { DiskFile, DiskIo } from '../disk-io.ts';
import { LoopPace } from '../loop-pace.ts';
import { Segment } from './segment.ts';
import {
  encodeHead,
  HEAD_BYTES,
  parsePlace,
  parseSegmentFileName,
  RECORD_HEADER_BYTES,
  type SegmentNumber,
  segmentFileName,
} from './segment-format.ts';
import { namedPlaces, recoverSegment, scanSegment } from './segment-recovery.ts';
import { type Appended, SegmentWriter } from './segment-writer.ts';
import { Warmth } from './warmth.ts';

export type SlowCall = 'read' | 'write';

export type SegmentSetOptions = {
  readonly io: DiskIo;
  readonly directory: string;
  readonly rows: Pick<BlobRows, 'findBlobs' | 'listBlobsAt' | 'listBlobs' | 'moveBlobs'>;
  readonly segmentBytesMax: number;
  /** More are closed when nobody reads them. */
  readonly openFilesMax: number;
  readonly now: () => number;
  readonly assertWritable: () => void;
  readonly failWrite: (error: unknown) => unknown;
  readonly failSync: (error: unknown) => unknown;
  readonly onGroup: (records: number, bytes: number) => void;
  /** A call on the event loop was slow; others go through the thread pool for a while. */
  readonly onSlowCall: (kind: SlowCall) => void;
  /** Damage that was found at the start. */
  readonly onDamage: (segment: SegmentNumber, offsets: readonly number[]) => void;
};

const ROWS_A_PAGE = 1000;

export class SegmentSet {
  readonly #options: SegmentSetOptions;
  readonly #segments = new Map<SegmentNumber, Segment>();
  readonly #warmth = new Warmth();
  readonly #readPace: LoopPace;
  readonly #writePace: LoopPace;
  #writer: SegmentWriter;
  #lastNumber = 0;
  #isCounted = false;
  #counting: Promise<void> | undefined;

  static async open(options: SegmentSetOptions): Promise<SegmentSet> {
    const { io, directory } = options;
    const set = new SegmentSet(options);
    const numbers: SegmentNumber[] = [];
    for (const { name } of await io.listDirectory(directory)) {
      const number = parseSegmentFileName(name);
      if (number !== undefined) numbers.push(number);
    }
    numbers.sort((one, other) => one - other);
    const newest = numbers.pop();
    for (const number of numbers) await set.#adopt(number);
    if (newest !== undefined) await set.#recover(newest);
    return set;
  }

  private constructor(options: SegmentSetOptions) {
    this.#options = options;
    const { onSlowCall } = options;
    this.#readPace = new LoopPace({ onSlow: () => onSlowCall('read') });
    this.#writePace = new LoopPace({ onSlow: () => onSlowCall('write') });
    this.#writer = new SegmentWriter(this.#source());
  }

  append(blobId: BlobId, bytes: Uint8Array): Promise<Appended> {
    return this.#writer.append(blobId, bytes);
  }

  /** The segment that holds a blob, leased; throws `object_not_found` when it is gone. */
  async leaseOf(location: BlobLocation): Promise<{ segment: Segment; offset: number }> {
    const place = parsePlace(location);
    const segment = place === undefined ? undefined : this.#segments.get(place.segment);
    if (place === undefined || segment === undefined) throw blobGone();
    if (!segment.isOpen) await this.#closeSome();
    try {
      await segment.lease();
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw blobGone(error);
      throw translateOpenError(error);
    }
    return { segment, offset: place.offset };
  }

  /** Counts a record as dead; its bytes go when its segment is compacted. */
  drop(blob: BlobRef): void {
    const place = parsePlace(blob.location);
    const segment = place === undefined ? undefined : this.#segments.get(place.segment);
    if (segment === undefined) return;
    segment.liveBytes = Math.max(0, segment.liveBytes - RECORD_HEADER_BYTES - blob.sizeBytes);
  }

  /**
   * Every segment but the one that is written to or is being made, which has the last number. The
   * highest that stands stays too: a start takes its number for the last that was given.
   */
  get sealed(): readonly Segment[] {
    const all = this.all;
    const highest = all.reduce((most, { number }) => Math.max(most, number), 0);
    return all.filter(({ number }) => number !== this.#lastNumber && number !== highest);
  }

  get all(): readonly Segment[] {
    return [...this.#segments.values()];
  }

  /** Takes a segment out of the store; rows name it no longer, durably. */
  async remove(segment: Segment): Promise<void> {
    this.#segments.delete(segment.number);
    await segment.unlink();
  }

  /** Whether what is alive in each segment was counted since the start. */
  get isCounted(): boolean {
    return this.#isCounted;
  }

  /**
   * Counts anew what rows name in each segment, for all who ask meanwhile. What is written while it
   * counts is not lost: those segments keep their own count.
   */
  recount(signal: AbortSignal): Promise<void> {
    this.#counting ??= this.#count(signal).finally(() => {
      this.#counting = undefined;
    });
    return this.#counting;
  }

  async #count(signal: AbortSignal): Promise<void> {
    const before = new Map(this.sealed.map((segment) => [segment, 0]));
    let after: BlobId | undefined;
    for (;;) {
      if (signal.aborted) return;
      const page = await this.#options.rows.listBlobs({ after, limit: ROWS_A_PAGE });
      for (const blob of page) {
        const place = parsePlace(blob.location);
        const segment = place === undefined ? undefined : this.#segments.get(place.segment);
        const count = segment === undefined ? undefined : before.get(segment);
        if (segment === undefined || count === undefined) continue;
        before.set(segment, count + RECORD_HEADER_BYTES + blob.sizeBytes);
      }
      after = page.at(-1)?.blobId;
      if (page.length < ROWS_A_PAGE) break;
      // An embedded engine answers at once: without this a million rows would hold the event loop.
      await setImmediate();
    }
    for (const [segment, liveBytes] of before) {
      if (segment.unpublished === 0) segment.liveBytes = liveBytes;
    }
    this.#isCounted = true;
  }

  async close(): Promise<void> {
    await this.#writer.close();
    for (const segment of this.#segments.values()) await segment.closeIdle();
  }

  #source() {
    const { segmentBytesMax, assertWritable, failWrite, failSync, onGroup } = this.#options;
    const limits = { segmentBytesMax, assertWritable, writePace: this.#writePace };
    return { roll: () => this.#roll(), ...limits, failWrite, failSync, onGroup };
  }

  get #reading() {
    return { warmth: this.#warmth, readPace: this.#readPace };
  }

  #pathOf(number: SegmentNumber): string {
    return join(this.#options.directory, segmentFileName(number));
  }

  /** A sealed segment was synced whole before the next was begun, so it is taken as it is. */
  async #adopt(number: SegmentNumber): Promise<void> {
    const { io } = this.#options;
    const path = this.#pathOf(number);
    const segment = new Segment(io, {
      number,
      path,
      endBytes: await fileBytes(io, path),
      ...this.#reading,
    });
    // Until it is counted it is taken for full, so that nothing alive is given up.
    segment.liveBytes = segment.endBytes - HEAD_BYTES;
    this.#segments.set(number, segment);
    this.#lastNumber = number;
  }

  /** The newest segment: its unnamed tail is cut, then it is written on. */
  async #recover(number: SegmentNumber): Promise<void> {
    const { io, onDamage } = this.#options;
    const path = this.#pathOf(number);
    this.#lastNumber = number;
    const named = await namedPlaces(this.#options.rows, number);
    if (named.length === 0) {
      await this.#empty(number);
      return;
    }
    const file = await io.openForWriting(path);
    const scan = await scanSegment(file, number);
    const found = recoverSegment(scan, named);
    if (found.damagedOffsets.length > 0) onDamage(number, found.damagedOffsets);
    if (scan.sizeBytes > found.endBytes) {
      await file.truncate(found.endBytes);
      await file.syncBytes();
    }
    const { endBytes } = found;
    const segment = new Segment(io, { number, path, endBytes, ...this.#reading }, file);
    segment.liveBytes = found.liveBytes;
    this.#segments.set(number, segment);
    this.#writer = new SegmentWriter(this.#source(), { segment, file });
  }

  /**
   * Nothing in the newest one is alive. Its bytes go, and its file stays until there is a higher
   * one: another start would give its number again, and with it places that were given before.
   */
  async #empty(number: SegmentNumber): Promise<void> {
    const { io, now } = this.#options;
    const path = this.#pathOf(number);
    const file = await io.openForWriting(path);
    try {
      await file.truncate(HEAD_BYTES);
      // A crash may have come between the file and its head.
      await file.write([encodeHead(number, now())], 0);
    } finally {
      await file.close();
    }
    const at = { number, path, endBytes: HEAD_BYTES, ...this.#reading };
    this.#segments.set(number, new Segment(io, at));
  }

  /** Makes the next segment; its head and name are durable before anything is written behind. */
  async #roll(): Promise<{ segment: Segment; file: DiskFile }> {
    const { io, directory, now, failSync } = this.#options;
    const number = this.#lastNumber + 1;
    const path = this.#pathOf(number);
    this.#lastNumber = number;
    const file = await io.createFile(path);
    try {
      await file.write([encodeHead(number, now())], 0);
    } catch (error) {
      // A file without a head is nobody's; a full disk may not even let it be removed.
      await file.close();
      await io.removeFile(path).catch(() => undefined);
      throw error;
    }
    try {
      await file.syncBytes();
      await io.syncDirectory(directory);
    } catch (error) {
      await file.close();
      // What has no durable name is begun anew under the next number.
      if (error instanceof SyncUnreached) await io.removeFile(path).catch(() => undefined);
      throw failSync(error);
    }
    const segment = new Segment(io, { number, path, endBytes: HEAD_BYTES, ...this.#reading }, file);
    this.#segments.set(number, segment);
    return { segment, file };
  }

  async #closeSome(): Promise<void> {
    const open = this.sealed.filter((segment) => segment.isOpen && segment.leases === 0);
    for (const segment of open.slice(0, Math.max(0, open.length - this.#options.openFilesMax))) {
      await segment.closeIdle();
    }
  }
}

async function fileBytes(io: DiskIo, path: string): Promise<number> {
  const file = await io.openFile(path);
  return await file.sizeBytes().finally(() => file.close());
}
