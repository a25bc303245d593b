/** Reads a blob out of its file, each block checked before it is handed on. */
import { crc32 } from '@node-rs/crc32';
import { ServiceError } from '../../../../core/errors.ts';
import type { BlobReader, BlobRef, ByteSink, ByteSpan } from '../../../../core/ports/blob-store.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { corruptBlob } from '../corrupt-blob.ts';
import type { DiskFile } from '../disk-io.ts';
import { BLOCK_BYTES, blockCount, decodeFooter, TAIL_BYTES } from './blob-file.ts';

/** One read of several blocks: fewer system calls; two buffers, one filling while one drains. */
export const READ_BYTES = 2 * BLOCK_BYTES;

export class FileReader implements BlobReader {
  readonly sizeBytes: number;
  readonly #file: DiskFile;
  readonly #sums: Uint32Array;
  readonly #blob: BlobRef;
  readonly #pool: BufferPool;
  readonly #onClose: () => void;
  #isClosed = false;

  /** Takes over `file`; throws `corrupt` when its footer does not fit the blob. */
  static async open(
    file: DiskFile,
    blob: BlobRef,
    { pool, onClose }: { readonly pool: BufferPool; readonly onClose: () => void },
  ): Promise<FileReader> {
    try {
      const footer = Buffer.alloc(4 * blockCount(blob.sizeBytes) + TAIL_BYTES);
      const filled = await file.read(footer, blob.sizeBytes);
      const sums = filled === footer.length ? decodeFooter(footer, blob) : undefined;
      if (sums === undefined) throw corruptBlob(blob, 'its footer is damaged');
      return new FileReader({ file, blob, sums, pool, onClose });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  private constructor(parts: {
    readonly file: DiskFile;
    readonly blob: BlobRef;
    readonly sums: Uint32Array;
    readonly pool: BufferPool;
    readonly onClose: () => void;
  }) {
    this.#file = parts.file;
    this.#blob = parts.blob;
    this.#sums = parts.sums;
    this.#pool = parts.pool;
    this.#onClose = parts.onClose;
    this.sizeBytes = parts.blob.sizeBytes;
  }

  async read(
    span: ByteSpan,
    sink: ByteSink,
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    const buffers: [Buffer, Buffer] = [this.#pool.take(), this.#pool.take()];
    let sending: Promise<unknown> | undefined;
    try {
      const end = Math.min(span.end, this.sizeBytes);
      let at = Math.floor(span.start / BLOCK_BYTES) * BLOCK_BYTES;
      for (let turn = 0; at < end; turn += 1) {
        if (options.signal?.aborted) throw new ServiceError('aborted', 'The reader went away.');
        const blocks = await this.#readBlocks(buffers[turn % 2 === 0 ? 0 : 1], at, end);
        await throwFailure(sending);
        const from = Math.max(0, span.start - at);
        // A failure is kept as a value, so that none is left unheard while the disk is read.
        sending = sink(blocks.subarray(from, Math.min(blocks.length, end - at)))?.then(
          () => undefined,
          (error: unknown) => error ?? new Error('the sink failed'),
        );
        at += blocks.length;
      }
      await throwFailure(sending);
    } finally {
      // A sink that has failed may still hold its chunk: both buffers are left to it then.
      if ((await sending) === undefined) for (const buffer of buffers) this.#pool.give(buffer);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
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

async function throwFailure(sending: Promise<unknown> | undefined): Promise<void> {
  const failure = await sending;
  if (failure !== undefined) throw failure;
}
