/** Reads a blob out of its file, each block checked before it is handed on. */
import { crc32 } from '@node-rs/crc32';
import { ServiceError } from '../../../core/errors.ts';
import type { BlobReader, BlobRef, ByteSink, ByteSpan } from '../../../core/ports/blob-store.ts';
import { BLOCK_BYTES, blockCount, decodeFooter, TAIL_BYTES } from './blob-file.ts';
import { corruptBlob } from './corrupt-blob.ts';
import type { DiskFile } from './disk-io.ts';

/** One read of several blocks: fewer system calls; two buffers, one filling while one drains. */
const READ_BYTES = 8 * BLOCK_BYTES;

export class FileReader implements BlobReader {
  readonly sizeBytes: number;
  readonly #file: DiskFile;
  readonly #sums: Uint32Array;
  readonly #blob: BlobRef;
  #isClosed = false;

  /** Takes over `file`; throws `corrupt` when its footer does not fit the blob. */
  static async open(file: DiskFile, blob: BlobRef): Promise<FileReader> {
    try {
      const footer = Buffer.alloc(4 * blockCount(blob.sizeBytes) + TAIL_BYTES);
      const filled = await file.read(footer, blob.sizeBytes);
      const sums = filled === footer.length ? decodeFooter(footer, blob) : undefined;
      if (sums === undefined) throw corruptBlob(blob, 'its footer is damaged');
      return new FileReader(file, blob, sums);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(file: DiskFile, blob: BlobRef, sums: Uint32Array) {
    this.#file = file;
    this.#blob = blob;
    this.#sums = sums;
    this.sizeBytes = blob.sizeBytes;
  }

  async read(
    span: ByteSpan,
    sink: ByteSink,
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    const end = Math.min(span.end, this.sizeBytes);
    let at = Math.floor(span.start / BLOCK_BYTES) * BLOCK_BYTES;
    const length = Math.min(
      READ_BYTES,
      Math.max(0, Math.ceil((end - at) / BLOCK_BYTES) * BLOCK_BYTES),
    );
    let filling = Buffer.allocUnsafe(length);
    let draining = Buffer.alloc(0);
    let sending: Promise<unknown> | undefined;
    while (at < end) {
      if (options.signal?.aborted) throw new ServiceError('aborted', 'The reader went away.');
      if (filling.length === 0) filling = Buffer.allocUnsafe(length);
      const blocks = await this.#readBlocks(filling, at, end);
      const failure = await sending;
      if (failure !== undefined) throw failure;
      const from = Math.max(0, span.start - at);
      // A failure is kept as a value, so that none is left unheard while the disk is read.
      sending = sink(blocks.subarray(from, Math.min(blocks.length, end - at)))?.then(
        () => undefined,
        (error: unknown) => error ?? new Error('the sink failed'),
      );
      at += blocks.length;
      [filling, draining] = [draining, filling];
    }
    const failure = await sending;
    if (failure !== undefined) throw failure;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#file.close();
  }

  /** Fills `buffer` with whole blocks from `at`, as far as `end` needs them, and checks each. */
  async #readBlocks(buffer: Buffer, at: number, end: number): Promise<Buffer> {
    const blocksEnd = Math.min(Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES, this.sizeBytes);
    const wanted = buffer.subarray(0, Math.min(buffer.length, blocksEnd - at));
    if ((await this.#file.read(wanted, at)) !== wanted.length) {
      throw corruptBlob(this.#blob, 'it is shorter than its row says');
    }
    for (let from = 0; from < wanted.length; from += BLOCK_BYTES) {
      const sum = crc32(wanted.subarray(from, from + BLOCK_BYTES));
      if (sum !== this.#sums[(at + from) / BLOCK_BYTES]) {
        throw corruptBlob(this.#blob, `its block at ${at + from} fails its checksum`);
      }
    }
    return wanted;
  }
}
