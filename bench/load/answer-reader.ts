/**
 * Reads answers off a connection: the status line, the content-length, whether the connection ends,
 * and nothing more. It costs a microsecond or two, where a whole HTTP client costs more than some
 * servers.
 */

export type AnswerFields = {
  readonly contentLength: number;
  /** The server says that it closes the connection after this answer. */
  readonly isLast: boolean;
};

export type AnswerSink = {
  /** A head is complete; `contentLength` is -1 where none was said. */
  readonly onHead: (status: number, fields: AnswerFields) => void;
  /** Bytes of the body, valid during the call. */
  readonly onBody: (chunk: Buffer, offset: number) => void;
  readonly onEnd: () => void;
};

const HEAD_BYTES_MAX = 16 * 1024;
const CR = 13;
const LF = 10;
const COLON = 58;
const SPACE = 32;
const ZERO = 48;
const LOWER = 32;
const C = 99;
/** Where in `content-length:` the colon and the second word are. */
const FIELD_COLON_AT = 14;
const FIELD_DASH_AT = 7;
const FIELD_L_AT = 8;
const DASH = 45;
const L = 108;
/** The same of `connection: close`; no other field is as long with these letters. */
const CONNECTION_COLON_AT = 10;
const CONNECTION_T_AT = 6;
const T = 116;

export class AnswerReader {
  readonly #sink: AnswerSink;
  readonly #hasNoBodies: boolean;
  /** The start of a head that came in pieces. */
  #partialHead: Buffer | undefined;
  #bodyLeft = 0;
  #bodyOffset = 0;

  constructor(sink: AnswerSink, options: { readonly hasNoBodies: boolean }) {
    this.#sink = sink;
    this.#hasNoBodies = options.hasNoBodies;
  }

  /** Throws when the other side does not speak HTTP/1.1 or says more than was asked. */
  push(bytes: Buffer): void {
    if (this.#bodyLeft > 0) {
      this.#takeBody(bytes, 0);
      return;
    }
    let chunk = bytes;
    if (this.#partialHead !== undefined) {
      chunk = Buffer.concat([this.#partialHead, bytes]);
      this.#partialHead = undefined;
    }
    const end = endOfHead(chunk);
    if (end === -1) {
      if (chunk.length > HEAD_BYTES_MAX) throw new Error('The head of an answer is too long.');
      // Copied: the bytes stand in a buffer that the next read overwrites.
      this.#partialHead = Buffer.from(chunk);
      return;
    }
    this.#takeHead(chunk, end);
  }

  #takeHead(chunk: Buffer, end: number): void {
    const status = numberAt(chunk, 9);
    const fields = fieldsOf(chunk, end);
    this.#bodyLeft = this.#hasNoBodies ? 0 : Math.max(0, fields.contentLength);
    this.#bodyOffset = 0;
    this.#sink.onHead(status, fields);
    if (this.#bodyLeft > 0) {
      if (end < chunk.length) this.#takeBody(chunk, end);
      return;
    }
    if (end < chunk.length) throw new Error('An answer has bytes after its end.');
    this.#sink.onEnd();
  }

  #takeBody(chunk: Buffer, start: number): void {
    const length = chunk.length - start;
    if (length > this.#bodyLeft) throw new Error('An answer has bytes after its end.');
    const offset = this.#bodyOffset;
    this.#bodyLeft -= length;
    this.#bodyOffset += length;
    this.#sink.onBody(start === 0 ? chunk : chunk.subarray(start), offset);
    if (this.#bodyLeft === 0) this.#sink.onEnd();
  }
}

/** The offset after the empty line, or -1. */
function endOfHead(chunk: Buffer): number {
  for (let at = 3; at < chunk.length; at += 1) {
    if (chunk[at] === LF && chunk[at - 1] === CR && chunk[at - 2] === LF && chunk[at - 3] === CR) {
      return at + 1;
    }
  }
  return -1;
}

function fieldsOf(chunk: Buffer, end: number): AnswerFields {
  let contentLength = -1;
  let isLast = false;
  for (let at = 0; at < end - CONNECTION_COLON_AT; at += 1) {
    if (chunk[at] !== LF) continue;
    const field = at + 1;
    if (((chunk[field] ?? 0) | LOWER) !== C) continue;
    if (
      chunk[field + FIELD_COLON_AT] === COLON &&
      chunk[field + FIELD_DASH_AT] === DASH &&
      ((chunk[field + FIELD_L_AT] ?? 0) | LOWER) === L
    ) {
      contentLength = numberAt(chunk, field + FIELD_COLON_AT + 1);
    } else if (
      chunk[field + CONNECTION_COLON_AT] === COLON &&
      ((chunk[field + CONNECTION_T_AT] ?? 0) | LOWER) === T
    ) {
      // The other value is keep-alive.
      isLast = wordStartsWith(chunk, field + CONNECTION_COLON_AT + 1, C);
    }
  }
  return { contentLength, isLast };
}

function wordStartsWith(chunk: Buffer, start: number, letter: number): boolean {
  let at = start;
  while (chunk[at] === SPACE) at += 1;
  return ((chunk[at] ?? 0) | LOWER) === letter;
}

function numberAt(chunk: Buffer, start: number): number {
  let at = start;
  while (chunk[at] === SPACE) at += 1;
  let value = 0;
  for (; ; at += 1) {
    const digit = (chunk[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return value;
    value = value * 10 + digit;
  }
}
