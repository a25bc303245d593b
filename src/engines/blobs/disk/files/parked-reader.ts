/** A reader that has its file open only while it reads, for answers of very many blobs. */
import type { BlobReader, ByteSink, ByteSpan } from '../../../../core/ports/blob-store.ts';

export class ParkedReader implements BlobReader {
  readonly sizeBytes: number;
  readonly #open: () => Promise<BlobReader>;
  readonly #onClose: () => Promise<void>;
  #isClosed = false;

  /** What `open` opens stays as long as the reader is not closed. */
  constructor(parts: {
    readonly sizeBytes: number;
    readonly open: () => Promise<BlobReader>;
    readonly onClose: () => Promise<void>;
  }) {
    this.sizeBytes = parts.sizeBytes;
    this.#open = parts.open;
    this.#onClose = parts.onClose;
  }

  async read(
    span: ByteSpan,
    sink: ByteSink,
    options: { signal?: AbortSignal } = {},
  ): Promise<void> {
    const reader = await this.#open();
    try {
      await reader.read(span, sink, options);
    } finally {
      await reader.close();
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#onClose();
  }
}
