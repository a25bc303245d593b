/**
 * The framing of bodies whose payload hash begins with `STREAMING-` (Amazon S3 API reference,
 * "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks"):
 * chunks `hexlen[;chunk-signature=hex] CRLF bytes CRLF`, the last one empty, then trailers.
 */
import { createHash, type Hash, hash } from 'node:crypto';
import { asBuffer } from '../buffers.ts';
import { type ChunkSigner, chunkSignature } from '../sigv4/chunk-signature.ts';
import { EMPTY_SHA256, isEqualSignature } from '../sigv4/sign.ts';
import { AwsChunkedError, type AwsChunkedErrorKind } from './aws-chunked-error.ts';
import { TrailerReader } from './trailer-reader.ts';

/** What makes and checks the signatures of chunks. */
export type ChunkSignatures = ChunkSigner & {
  /** The signature of the request, with which the chain of signatures begins. */
  readonly seed: string;
};

export type AwsChunkedOptions = {
  /** `x-amz-decoded-content-length`: the chunks hold exactly as many bytes. */
  readonly decodedBytes: number;
  /** `undefined` for a body whose chunks are not signed; signatures in it are not looked at. */
  readonly signatures: ChunkSignatures | undefined;
  /** Whether the payload hash ends with `-TRAILER`; otherwise a trailer is refused. */
  readonly expectsTrailers: boolean;
};

type State = 'chunk_header' | 'chunk_bytes' | 'chunk_end' | 'trailers';

/** A length and a signature take 95 bytes. */
const HEADER_BYTES_MAX = 256;
/** Thirteen digits of a length are still a safe integer. */
const CHUNK_HEADER = /^([0-9a-f]{1,13})(?:;chunk-signature=([0-9a-f]{64}))?\r$/i;
const CR = 0x0d;
const LF = 0x0a;

/**
 * Takes an encoded body in pieces of any size and gives out its bytes. Memory is bounded by the
 * longest line. Bytes may be given out before the signature of their chunk was checked, so nothing
 * may be committed before `finish` has returned. After an error every call throws the same one.
 */
export class AwsChunkedDecoder {
  readonly #expected: AwsChunkedOptions;
  readonly #trailers: TrailerReader;
  #state: State = 'chunk_header';
  /** What came of a line that is not complete, as latin1. */
  #line = '';
  #decodedBytes = 0;
  /** Bytes of the current chunk that are still to come. */
  #chunkRest = 0;
  /** SHA-256 of the current chunk, when it came in more than one piece. */
  #digest: Hash | undefined;
  /** Signatures of the last chunk that was checked, and of the current one as its header says. */
  #previous: string;
  #claimed = '';
  #hasCarriageReturn = false;
  #failure: AwsChunkedError | undefined;

  constructor(options: AwsChunkedOptions) {
    this.#expected = options;
    this.#trailers = new TrailerReader(options);
    this.#previous = options.signatures?.seed ?? '';
  }

  /**
   * Takes the next piece; `emit` gets views of it, in order and never empty. Throws
   * `AwsChunkedError`, and what `emit` throws.
   */
  push(input: Uint8Array, emit: (slice: Uint8Array) => void): void {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = asBuffer(input);
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'chunk_header':
          at = this.#takeHeader(bytes, at);
          break;
        case 'chunk_bytes':
          at = this.#takeBytes(bytes, at, emit);
          break;
        case 'chunk_end':
          at = this.#takeChunkEnd(bytes, at);
          break;
        case 'trailers':
          at = this.#takeTrailer(bytes, at);
          break;
      }
    }
  }

  /** Says that the body has ended; throws `AwsChunkedError` unless it was whole. */
  finish(): { readonly trailers: ReadonlyMap<string, string> } {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state !== 'trailers' || this.#line !== '' || !this.#trailers.hasEnded) {
      this.#fail('incomplete', 'The body ended before its last line.');
    }
    return { trailers: this.#guarded(() => this.#trailers.finish()) };
  }

  #takeHeader(bytes: Buffer, at: number): number {
    const end = this.#takeLine(bytes, at, HEADER_BYTES_MAX);
    if (end === undefined) return bytes.length;
    const match = CHUNK_HEADER.exec(this.#line);
    this.#line = '';
    if (match === null) this.#fail('malformed', 'A chunk does not begin with its length in hex.');
    const [, digits = '', claimed = ''] = match;
    const length = Number.parseInt(digits, 16);
    if (length > this.#expected.decodedBytes - this.#decodedBytes) {
      this.#fail('too_long', 'The chunks hold more bytes than the declared length.');
    }
    this.#claimed = claimed.toLowerCase();
    this.#decodedBytes += length;
    this.#chunkRest = length;
    this.#state = length === 0 ? 'trailers' : 'chunk_bytes';
    if (length === 0) this.#endChunks();
    return end;
  }

  #endChunks(): void {
    if (this.#decodedBytes !== this.#expected.decodedBytes) {
      this.#fail('too_short', 'The chunks hold fewer bytes than the declared length.');
    }
    this.#check(EMPTY_SHA256);
    this.#trailers.begin(this.#previous);
  }

  #takeBytes(bytes: Buffer, at: number, emit: (slice: Uint8Array) => void): number {
    const end = Math.min(bytes.length, at + this.#chunkRest);
    const slice = bytes.subarray(at, end);
    const isWhole = this.#digest === undefined && slice.length === this.#chunkRest;
    this.#chunkRest -= slice.length;
    if (this.#expected.signatures !== undefined) {
      if (isWhole) this.#check(hash('sha256', slice, 'hex'));
      else this.#digestPiece(slice);
    }
    if (this.#chunkRest === 0) this.#state = 'chunk_end';
    emit(slice);
    return end;
  }

  #digestPiece(slice: Uint8Array): void {
    this.#digest ??= createHash('sha256');
    this.#digest.update(slice);
    if (this.#chunkRest > 0) return;
    const digest = this.#digest.digest('hex');
    this.#digest = undefined;
    this.#check(digest);
  }

  /** Checks the signature of the chunk that has just ended. */
  #check(sha256: string): void {
    const { signatures } = this.#expected;
    if (signatures === undefined) return;
    const expected = chunkSignature(signatures, { previous: this.#previous, sha256 });
    if (!isEqualSignature(expected, this.#claimed)) {
      this.#fail('signature_mismatch', 'The signature of a chunk is wrong or missing.');
    }
    this.#previous = expected;
  }

  #takeChunkEnd(bytes: Buffer, at: number): number {
    if (bytes[at] !== (this.#hasCarriageReturn ? LF : CR)) {
      this.#fail('malformed', 'A chunk is not followed by a line end.');
    }
    if (this.#hasCarriageReturn) this.#state = 'chunk_header';
    this.#hasCarriageReturn = !this.#hasCarriageReturn;
    return at + 1;
  }

  #takeTrailer(bytes: Buffer, at: number): number {
    const end = this.#takeLine(bytes, at, this.#trailers.restBytes);
    if (end === undefined) return bytes.length;
    const line = this.#line;
    this.#line = '';
    this.#guarded(() => this.#trailers.take(line));
    return end;
  }

  /**
   * Adds to the line what belongs to it, without its LF, and answers where the next begins;
   * `undefined` when all of `bytes` belongs to it.
   */
  #takeLine(bytes: Buffer, at: number, bytesMax: number): number | undefined {
    const found = bytes.indexOf(LF, at);
    const end = found === -1 ? bytes.length : found;
    if (this.#line.length + end - at > bytesMax) {
      const kind = this.#state === 'trailers' ? 'malformed_trailer' : 'malformed';
      this.#fail(kind, 'A line of the body is too long.');
    }
    this.#line += bytes.toString('latin1', at, end);
    return found === -1 ? undefined : found + 1;
  }

  #guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof AwsChunkedError) this.#failure = error;
      throw error;
    }
  }

  #fail(kind: AwsChunkedErrorKind, message: string): never {
    this.#failure = new AwsChunkedError(kind, message);
    throw this.#failure;
  }
}
