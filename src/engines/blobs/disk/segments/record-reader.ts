/** Reads a blob out of a segment: one read, checked whole, whatever part of it is wanted. */
import type { BlobReader, BlobRef, ByteSink, ByteSpan } from '../../../../core/ports/blob-store.ts';
import type { Segment } from './segment.ts';

export class RecordReader implements BlobReader {
  readonly sizeBytes: number;
  readonly #segment: Segment;
  readonly #blob: BlobRef;
  readonly #offset: number;
  #isClosed = false;

  /** The segment is leased by the caller; `close` ends that lease. */
  constructor(segment: Segment, blob: BlobRef, offset: number) {
    this.#segment = segment;
    this.#blob = blob;
    this.#offset = offset;
    this.sizeBytes = blob.sizeBytes;
  }

  async read(span: ByteSpan, sink: ByteSink): Promise<void> {
    const bytes = await this.#segment.readRecord(this.#blob, this.#offset);
    if (span.end > span.start) await sink(bytes.subarray(span.start, span.end));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#segment.release();
  }
}
