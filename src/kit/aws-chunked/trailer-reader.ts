import { hash } from 'node:crypto';
import { type ChunkSigner, trailerSignature } from '../sigv4/chunk-signature.ts';
import { isEqualSignature } from '../sigv4/sign.ts';
import { AwsChunkedError } from './aws-chunked-error.ts';

/** The longest trailer of the field, a SHA-256 and a signature, take 170 bytes together. */
const TRAILER_BYTES_MAX = 4096;
const TRAILERS_MAX = 16;
/**
 * One empty line ends the body. minio-go writes one more, between the trailers and their signature
 * or, where nothing is signed, at the end.
 */
const EMPTY_LINES_MAX = 3;
const SIGNATURE_NAME = 'x-amz-trailer-signature';
const TRAILER = /^([!#$%&'*+.^_`|~0-9a-z-]+):(.*)$/i;

/** Reads what follows the last chunk, line by line. */
export class TrailerReader {
  readonly #signer: ChunkSigner | undefined;
  readonly #expectsTrailers: boolean;
  readonly #trailers = new Map<string, string>();
  /** The signature of the last chunk. */
  #previous = '';
  #claimed: string | undefined;
  #emptyLines = 0;
  #isAfterEmptyLine = false;
  #restBytes = TRAILER_BYTES_MAX;

  constructor(expected: {
    readonly signatures: ChunkSigner | undefined;
    readonly expectsTrailers: boolean;
  }) {
    this.#signer = expected.signatures;
    this.#expectsTrailers = expected.expectsTrailers;
  }

  /** How long the next line may be. */
  get restBytes(): number {
    return this.#restBytes;
  }

  /** Whether the body may end here. */
  get hasEnded(): boolean {
    return this.#isAfterEmptyLine;
  }

  /** `previous` is the signature of the last chunk. */
  begin(previous: string): void {
    this.#previous = previous;
  }

  /** Takes a line without its LF; a CR before that is not needed. Throws `AwsChunkedError`. */
  take(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line;
    this.#restBytes = Math.max(0, this.#restBytes - line.length - 1);
    if (text === '') this.#takeEmptyLine();
    else this.#takeTrailer(text);
  }

  /** The trailers by lower-case name. Throws `AwsChunkedError` unless their signature is right. */
  finish(): ReadonlyMap<string, string> {
    this.#checkSignature();
    return this.#trailers;
  }

  #takeEmptyLine(): void {
    this.#emptyLines++;
    this.#isAfterEmptyLine = true;
    if (this.#emptyLines > EMPTY_LINES_MAX) {
      throw new AwsChunkedError('malformed', 'The body goes on after its end.');
    }
  }

  #takeTrailer(text: string): void {
    const [, rawName = '', rawValue = ''] = TRAILER.exec(text) ?? [];
    const name = rawName.toLowerCase();
    const isSignature = this.#signer !== undefined && name === SIGNATURE_NAME;
    if (this.#claimed !== undefined || (this.#isAfterEmptyLine && !isSignature)) {
      throw new AwsChunkedError('malformed', 'The body goes on after its end.');
    }
    if (name === '' || this.#trailers.has(name)) {
      throw new AwsChunkedError(
        'malformed_trailer',
        'A trailer is no name and value, or repeated.',
      );
    }
    if (!this.#expectsTrailers) {
      throw new AwsChunkedError('malformed_trailer', 'The body has a trailer, and none was due.');
    }
    if (this.#trailers.size === TRAILERS_MAX) {
      throw new AwsChunkedError('malformed_trailer', 'The body has too many trailers.');
    }
    this.#isAfterEmptyLine = false;
    const value = rawValue.trim();
    if (isSignature) this.#claimed = value;
    else this.#trailers.set(name, value);
  }

  #checkSignature(): void {
    if (this.#signer === undefined) return;
    // A body without trailers need not sign that: who expects one misses it all the same.
    if (this.#trailers.size === 0 && this.#claimed === undefined) return;
    const lines = [...this.#trailers].map(([name, value]) => `${name}:${value}\n`).join('');
    const sha256 = hash('sha256', Buffer.from(lines, 'latin1'), 'hex');
    const expected = trailerSignature(this.#signer, { previous: this.#previous, sha256 });
    if (!isEqualSignature(expected, this.#claimed?.toLowerCase() ?? '')) {
      throw new AwsChunkedError(
        'signature_mismatch',
        'The signature of the trailers is wrong or missing.',
      );
    }
  }
}
