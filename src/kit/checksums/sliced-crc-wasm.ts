/**
 * The WebAssembly of a reflected 64-bit CRC that takes many bytes a turn, one table for each
 * ("slicing", Kounavis and Berry, 2005). It is assembled here rather than kept as opaque bytes:
 * one function of a few hundred bytes, mostly the same lookup again and again.
 */

/**
 * The register after the bytes in memory from `start` up to `end`. The tables stand at the
 * memory's begin, 256 entries of 8 bytes each, the one of the last byte of a turn first.
 */
export type SlicedCrc = (register: bigint, start: number, end: number) => bigint;

type Code = readonly number[];

const I32 = 0x7f;
const I64 = 0x7e;
const EMPTY_BLOCK = 0x40;

const BLOCK: Code = [0x02, EMPTY_BLOCK];
const LOOP: Code = [0x03, EMPTY_BLOCK];
const END: Code = [0x0b];
/** Back to the loop's begin, and out of the block around it. */
const REPEAT: Code = [0x0c, 0];
const LEAVE_IF: Code = [0x0d, 1];
const I32_GREATER: Code = [0x4b];
const I32_NOT_LESS: Code = [0x4f];
const I32_ADD: Code = [0x6a];
const I32_AND: Code = [0x71];
const I32_XOR: Code = [0x73];
const I32_SHIFT_LEFT: Code = [0x74];
const I64_XOR: Code = [0x85];
const I64_SHIFT_RIGHT: Code = [0x88];
const LOW_HALF: Code = [0xa7];

const REGISTER = 0;
const AT = 1;
const STOP = 2;
const FIRST_WORD = 3;

const WORD_BYTES = 8;
const TABLE_BYTES = 256 * 8;

/** A module that imports `env.memory` and exports `crc`, a `SlicedCrc`. */
export function assembleSlicedCrc({
  sliceBytes,
  pages,
}: {
  /** A multiple of 8. */
  readonly sliceBytes: number;
  /** Pages of 64 KiB that the memory has at least. */
  readonly pages: number;
}): Uint8Array {
  const words = sliceBytes / WORD_BYTES;
  const body = [
    ...listOf([[...unsigned(words), I64]]),
    ...wholeSlices(words),
    ...singleBytes(),
    ...get(REGISTER),
    ...END,
  ];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, listOf([[0x60, ...listOf([[I64], [I32], [I32]]), ...listOf([[I64]])]])),
    ...section(2, listOf([[...nameOf('env'), ...nameOf('memory'), 2, 0, ...unsigned(pages)]])),
    ...section(3, listOf([[0]])),
    ...section(7, listOf([[...nameOf('crc'), 0, 0]])),
    ...section(10, listOf([[...unsigned(body.length), ...body]])),
  ]);
}

/** While a whole slice is left: one lookup for each of its bytes, all joined by XOR. */
function wholeSlices(words: number): Code {
  const sliceBytes = words * WORD_BYTES;
  const loads = Array.from({ length: words }, (_, word) => [
    ...get(AT),
    ...load64(word * WORD_BYTES),
    ...(word === 0 ? [...get(REGISTER), ...I64_XOR] : []),
    ...set(FIRST_WORD + word),
  ]);
  const lookups = Array.from({ length: sliceBytes }, (_, index) => [
    ...entryOffset(FIRST_WORD + Math.floor(index / WORD_BYTES), index % WORD_BYTES),
    ...load64((sliceBytes - 1 - index) * TABLE_BYTES),
  ]);
  // The first word waits for the turn before, so that its lookups come last.
  const [last = [], ...others] = lookups.reverse();
  return [
    ...[...BLOCK, ...LOOP],
    ...[...get(AT), ...i32(sliceBytes), ...I32_ADD, ...get(STOP), ...I32_GREATER, ...LEAVE_IF],
    ...loads.flat(),
    ...last,
    ...others.flatMap((lookup) => [...lookup, ...I64_XOR]),
    ...set(REGISTER),
    ...[...get(AT), ...i32(sliceBytes), ...I32_ADD, ...set(AT)],
    ...[...REPEAT, ...END, ...END],
  ];
}

/** What is left of a slice, byte by byte, by the first table alone. */
function singleBytes(): Code {
  return [
    ...[...BLOCK, ...LOOP],
    ...[...get(AT), ...get(STOP), ...I32_NOT_LESS, ...LEAVE_IF],
    ...[...get(REGISTER), ...LOW_HALF, ...get(AT), ...load8(), ...I32_XOR],
    ...[...i32(0xff), ...I32_AND, ...i32(3), ...I32_SHIFT_LEFT, ...load64(0)],
    ...[...get(REGISTER), ...i64(8), ...I64_SHIFT_RIGHT, ...I64_XOR, ...set(REGISTER)],
    ...[...get(AT), ...i32(1), ...I32_ADD, ...set(AT)],
    ...[...REPEAT, ...END, ...END],
  ];
}

/** Eight times byte `index` of a word: where its entry stands in a table. */
function entryOffset(word: number, index: number): Code {
  const scaled =
    index === 0
      ? [...get(word), ...LOW_HALF, ...i32(3), ...I32_SHIFT_LEFT]
      : [...get(word), ...i64(8 * index - 3), ...I64_SHIFT_RIGHT, ...LOW_HALF];
  return [...scaled, ...i32(0xff << 3), ...I32_AND];
}

function get(local: number): Code {
  return [0x20, local];
}

function set(local: number): Code {
  return [0x21, local];
}

function i32(value: number): Code {
  return [0x41, ...signed(value)];
}

function i64(value: number): Code {
  return [0x42, ...signed(value)];
}

/** Loads say how they are aligned, as a power of two, and an offset. */
function load64(offset: number): Code {
  return [0x29, 3, ...unsigned(offset)];
}

function load8(): Code {
  return [0x2d, 0, 0];
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content];
}

function listOf(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()];
}

function nameOf(text: string): Code {
  return listOf([...Buffer.from(text)].map((byte) => [byte]));
}

/** LEB128, seven bits a byte, the lowest first. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** The same of a number that is not negative, where bit 6 of the last byte is the sign. */
function signed(value: number): Code {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)];
}
