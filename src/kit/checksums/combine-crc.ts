/**
 * The CRC of a concatenation from the CRCs of its parts. A CRC is a polynomial over GF(2) modulo
 * P, and bytes behind it multiply it by x^8 each: crc(a‖b) = crc(a)·x^(8·|b|) + crc(b). What the
 * register begins with and is turned over by falls out of the sum.
 */
import { strict as assert } from 'node:assert';
import { asBuffer } from '../buffers.ts';
import { CHECKSUM_BYTES, type CrcAlgorithm } from './checksum-algorithms.ts';

/** A polynomial in two unsigned halves; the highest bit is x^0, as reflected CRCs have it. */
type Polynomial = { readonly high: number; readonly low: number };

type Field = {
  readonly bits: 32 | 64;
  readonly modulus: Polynomial;
};

const FIELDS: Readonly<Record<CrcAlgorithm, Field>> = {
  CRC32: { bits: 32, modulus: { high: 0, low: 0xedb88320 } },
  CRC32C: { bits: 32, modulus: { high: 0, low: 0x82f63b78 } },
  CRC64NVME: { bits: 64, modulus: { high: 0x9a6c9329, low: 0xac4bc9b5 } },
};

/** Lengths are taken four bits at a time; fourteen such digits are all safe integers. */
const DIGIT_VALUES = 16;
const DIGITS = 14;

/** x^(8·d·16^i) at [i][d]: one multiplication for each digit of a length that is not zero. */
const POWERS: Readonly<Record<CrcAlgorithm, readonly (readonly Polynomial[])[]>> = {
  CRC32: powersOf(FIELDS.CRC32),
  CRC32C: powersOf(FIELDS.CRC32C),
  CRC64NVME: powersOf(FIELDS.CRC64NVME),
};

/**
 * The CRC of bytes with the CRC `left` followed by `rightBytes` bytes with the CRC `right`; both
 * have the length that the algorithm demands.
 */
export function combineCrc(
  algorithm: CrcAlgorithm,
  left: Uint8Array,
  right: Uint8Array,
  rightBytes: number,
): Uint8Array {
  assert(Number.isSafeInteger(rightBytes) && rightBytes >= 0, 'a length is a whole number');
  const sizeBytes = CHECKSUM_BYTES[algorithm];
  assert(left.length === sizeBytes && right.length === sizeBytes, `${algorithm} has ${sizeBytes}`);
  const field = FIELDS[algorithm];
  let moved = polynomialOf(left);
  let rest = rightBytes;
  for (const powers of POWERS[algorithm]) {
    const power = powers[rest % DIGIT_VALUES];
    if (power !== undefined) moved = multiply(field, moved, power);
    rest = Math.floor(rest / DIGIT_VALUES);
    if (rest === 0) break;
  }
  const added = polynomialOf(right);
  return bytesOf(field, { high: moved.high ^ added.high, low: moved.low ^ added.low });
}

/** The entry of digit 0, which would multiply by one, is left out. */
function powersOf(field: Field): readonly (readonly Polynomial[])[] {
  const rows: Polynomial[][] = [];
  let unit = xToTheEighth(field);
  for (let digit = 0; digit < DIGITS; digit += 1) {
    const row: Polynomial[] = [];
    let power = unit;
    for (let value = 1; value < DIGIT_VALUES; value += 1) {
      row[value] = power;
      power = multiply(field, power, unit);
    }
    rows.push(row);
    unit = power;
  }
  return rows;
}

function xToTheEighth({ bits }: Field): Polynomial {
  return bits === 64 ? { high: 1 << 23, low: 0 } : { high: 0, low: 1 << 23 };
}

/** The product modulo P: for each x^n in `one`, `other` times x^n is added. */
function multiply({ bits, modulus }: Field, one: Polynomial, other: Polynomial): Polynomial {
  let high = 0;
  let low = 0;
  let shiftedHigh = other.high;
  let shiftedLow = other.low;
  let rest = bits === 64 ? one.high : one.low;
  for (let power = 0; power < bits; power += 1) {
    if (power === 32) rest = one.low;
    // A signed shift makes all ones or none of the bit at the top.
    const mask = rest >> 31;
    rest <<= 1;
    high ^= shiftedHigh & mask;
    low ^= shiftedLow & mask;
    const overflow = -(shiftedLow & 1);
    shiftedLow = ((shiftedLow >>> 1) | (shiftedHigh << 31)) ^ (modulus.low & overflow);
    shiftedHigh = (shiftedHigh >>> 1) ^ (modulus.high & overflow);
  }
  return { high, low };
}

function polynomialOf(crc: Uint8Array): Polynomial {
  const bytes = asBuffer(crc);
  return bytes.length === 8
    ? { high: bytes.readInt32BE(0), low: bytes.readInt32BE(4) }
    : { high: 0, low: bytes.readInt32BE(0) };
}

function bytesOf({ bits }: Field, { high, low }: Polynomial): Uint8Array {
  const bytes = Buffer.alloc(bits / 8);
  if (bits === 64) bytes.writeInt32BE(high, 0);
  bytes.writeInt32BE(low, bits / 8 - 4);
  return bytes;
}
