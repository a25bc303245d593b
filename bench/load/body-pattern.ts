/**
 * The bytes of numbered objects: all of a size share one incompressible text, in which every 4 KiB
 * differ, and the object's number stands at the start, so that no two bodies are the same.
 */
import { NUMBER_BYTES, writeNumber } from './object-number.ts';

const BLOCK_BYTES = 4096;
/** The random part repeats after this; block numbers still differ. */
const RANDOM_BYTES = 1 << 20;

export class BodyPattern {
  readonly bytes: Buffer;
  /** The smallest bodies have no room for the whole number. */
  readonly stampBytes: number;
  readonly #stamp = Buffer.alloc(NUMBER_BYTES);

  constructor(sizeBytes: number) {
    this.bytes = patternBytes(sizeBytes);
    this.stampBytes = Math.min(NUMBER_BYTES, sizeBytes);
  }

  /** Writes what distinguishes object `number` over the start of its body at `offset`. */
  stamp(target: Buffer, offset: number, number: number): void {
    writeNumber(this.#stamp, 0, number);
    this.#stamp.copy(target, offset, 0, this.stampBytes);
  }

  /** Whether `chunk` is what stands at `offset` in the body of object `number`. */
  matches(chunk: Buffer, offset: number, number: number): boolean {
    const end = offset + chunk.length;
    const stamped = Math.max(0, Math.min(this.stampBytes, end) - offset);
    const rest = this.bytes.subarray(offset + stamped, end);
    if (rest.compare(chunk, stamped) !== 0) return false;
    if (stamped === 0) return true;
    writeNumber(this.#stamp, 0, number);
    return this.#stamp.compare(chunk, 0, stamped, offset, offset + stamped) === 0;
  }
}

function patternBytes(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  const words = Buffer.alloc(Math.min(sizeBytes + 3, RANDOM_BYTES) & ~3);
  let state = 0x9e37_79b9;
  for (let at = 0; at < words.length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words.writeInt32LE(state, at);
  }
  for (let at = 0; at < sizeBytes; at += words.length) words.copy(bytes, at);
  for (let at = BLOCK_BYTES; at + 4 <= sizeBytes; at += BLOCK_BYTES) {
    bytes.writeUInt32LE(at / BLOCK_BYTES, at);
  }
  return bytes;
}
