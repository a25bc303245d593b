/** From column values to values of the domain and back. */
import { strict as assert } from 'node:assert';

import type { Int8 } from '../schema.ts';

/** The key as the engines keep it: its UTF-8. */
export function bytesOfKey(key: string): Buffer {
  return Buffer.from(key, 'utf8');
}

export function keyOfBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

const EMPTY: Readonly<Record<string, string>> = Object.freeze({});

/** JSON of a record of text, or null when it is empty, which most are. */
export function recordColumn(record: Readonly<Record<string, string>>): string | null {
  for (const _name in record) return JSON.stringify(record);
  return null;
}

export function recordOf(column: string | null): Readonly<Record<string, string>> {
  return column === null ? EMPTY : (JSON.parse(column) as Readonly<Record<string, string>>);
}

export function bigintOf(value: Int8): bigint {
  return BigInt(value);
}

/** A sum that fits a number; `JSON` and counters of requests stay far below 2^53. */
export function numberOf(value: Int8): number {
  const number = Number(value);
  assert(Number.isSafeInteger(number), 'the column holds a safe integer');
  return number;
}

/** What is null in a column is `undefined` in the domain. */
export function orUndefined<T>(column: T | null): T | undefined {
  return column ?? undefined;
}
