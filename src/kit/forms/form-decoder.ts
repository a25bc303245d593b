/** The framing of `multipart/form-data` (RFC 7578, RFC 2046 section 5.1). */
import { asBuffer } from '../buffers.ts';
import { FormError, type FormErrorKind } from './form-error.ts';
import { type PartHead, parsePartHead } from './part-head.ts';

export type FormEvent =
  | { readonly kind: 'part'; readonly head: PartHead }
  /** The next bytes of the part: a view of what was pushed, or a copy of its end; never empty. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'partEnd' };

type State = 'preamble' | 'boundary_end' | 'head' | 'body' | 'epilogue';

/** Names of files in four bytes a letter, and every header that a browser writes, fit. */
const HEAD_BYTES_MAX = 8 * 1024;
/** Nobody reads what stands before the first boundary and behind the last. */
const OUTSIDE_BYTES_MAX = 8 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/**
 * Takes a form in pieces of any size and says what is in it. Memory is bounded by the head of a
 * part. After an error every call throws the same one.
 */
export class FormDecoder {
  readonly #delimiter: Buffer;
  #state: State = 'preamble';
  /** The end of what came, when it may begin a delimiter. The first needs no line end before it. */
  #held: Buffer = Buffer.from('\r\n');
  /** What came of a line that is not complete, as latin1. */
  #line = '';
  #lines: string[] = [];
  #headBytes = 0;
  #outsideBytes = 0;
  #failure: FormError | undefined;

  /** `boundary` as `parseFormBoundary` answers it. */
  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /**
   * Takes the next piece, as far as the events are asked for; all of them are to be taken before
   * the next is pushed. Throws `FormError`.
   */
  *push(input: Uint8Array): Generator<FormEvent, void> {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = asBuffer(input);
    let at = 0;
    while (at < bytes.length) {
      switch (this.#state) {
        case 'preamble':
        case 'body':
          at = yield* this.#takeBody(bytes, at);
          break;
        case 'boundary_end':
          at = this.#takeBoundaryEnd(bytes, at);
          break;
        case 'head':
          at = yield* this.#takeHead(bytes, at);
          break;
        case 'epilogue':
          this.#countOutside(bytes.length - at);
          at = bytes.length;
          break;
      }
    }
  }

  /** Says that the form has ended; throws `FormError` unless its last boundary came. */
  finish(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#state !== 'epilogue') {
      this.#fail('incomplete', 'The form ended before its last boundary.');
    }
  }

  /** Gives out what stands before the next delimiter, and answers where to go on. */
  *#takeBody(bytes: Buffer, from: number): Generator<FormEvent, number> {
    const reach = this.#delimiter.length - 1;
    let at = from;
    if (this.#held.length > 0) {
      // A delimiter that begins in what is held ends within its own length of the new bytes.
      const seam = Buffer.concat([this.#held, bytes.subarray(at, at + reach)]);
      const heldBytes = this.#held.length;
      const found = seam.indexOf(this.#delimiter);
      if (found !== -1) {
        this.#held = EMPTY;
        yield* this.#give(seam.subarray(0, found));
        yield* this.#endBody();
        return at + found + this.#delimiter.length - heldBytes;
      }
      if (bytes.length - at < reach) {
        const end = seam.length - this.#openBytes(seam);
        this.#held = seam.subarray(end);
        yield* this.#give(seam.subarray(0, end));
        return bytes.length;
      }
      const held = this.#held;
      this.#held = EMPTY;
      yield* this.#give(held);
    }
    const found = bytes.indexOf(this.#delimiter, at);
    const end = found === -1 ? bytes.length - this.#openBytes(bytes.subarray(at)) : found;
    // A copy: the piece is the sender's again once it was taken.
    if (found === -1) this.#held = Buffer.from(bytes.subarray(end));
    yield* this.#give(bytes.subarray(at, end));
    if (found === -1) return bytes.length;
    yield* this.#endBody();
    at = found + this.#delimiter.length;
    return at;
  }

  /** How many bytes at the end of `bytes` may begin a delimiter, which has its only CR in front. */
  #openBytes(bytes: Buffer): number {
    const at = bytes.lastIndexOf(CR);
    const openBytes = bytes.length - at;
    if (at === -1 || openBytes >= this.#delimiter.length) return 0;
    return bytes.compare(this.#delimiter, 0, openBytes, at) === 0 ? openBytes : 0;
  }

  *#give(bytes: Buffer): Generator<FormEvent, void> {
    if (bytes.length === 0) return;
    if (this.#state === 'preamble') this.#countOutside(bytes.length);
    else yield { kind: 'bytes', bytes };
  }

  *#endBody(): Generator<FormEvent, void> {
    const wasPart = this.#state === 'body';
    this.#state = 'boundary_end';
    if (wasPart) yield { kind: 'partEnd' };
  }

  /** Behind a delimiter: two dashes end the form, a line end begins the head of a part. */
  #takeBoundaryEnd(bytes: Buffer, at: number): number {
    this.#headBytes = 0;
    const end = this.#takeLine(bytes, at, at + 2 - this.#line.length);
    if (this.#line === '--') {
      this.#line = '';
      this.#state = 'epilogue';
    } else if (this.#line === '\r\n') {
      this.#line = '';
      this.#state = 'head';
    } else if (this.#line.length === 2) {
      this.#fail('malformed', 'A boundary is not followed by a line end.');
    }
    return end;
  }

  *#takeHead(bytes: Buffer, at: number): Generator<FormEvent, number> {
    const found = bytes.indexOf(LF, at);
    const end = this.#takeLine(bytes, at, found === -1 ? bytes.length : found + 1);
    if (found === -1) return end;
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r\n')) this.#fail('malformed', 'A line of a head has no proper end.');
    if (line !== '\r\n') {
      this.#lines.push(line.slice(0, -2));
      return end;
    }
    const lines = this.#lines;
    this.#lines = [];
    this.#state = 'body';
    yield { kind: 'part', head: this.#guarded(() => parsePartHead(lines)) };
    return end;
  }

  /** Adds to the line what stands up to `end`, and answers where that is. */
  #takeLine(bytes: Buffer, at: number, end: number): number {
    const to = Math.min(end, bytes.length);
    this.#headBytes += to - at;
    if (this.#headBytes > HEAD_BYTES_MAX) this.#fail('too_long', 'The head of a part is too long.');
    this.#line += bytes.toString('latin1', at, to);
    return to;
  }

  #countOutside(count: number): void {
    this.#outsideBytes += count;
    if (this.#outsideBytes <= OUTSIDE_BYTES_MAX) return;
    this.#fail('too_long', 'Too much stands outside of the parts of the form.');
  }

  #guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof FormError) this.#failure = error;
      throw error;
    }
  }

  #fail(kind: FormErrorKind, message: string): never {
    this.#failure = new FormError(kind, message);
    throw this.#failure;
  }
}

const EMPTY = Buffer.alloc(0);
