/**
 * How an object's number is written: eight hex digits, scattered so that names arrive in no order.
 */
import type { ObjectRange } from './plan.ts';

export const NUMBER_BYTES = 8;

/** Odd, so that multiplying by it modulo 2^32 gives every number another one. */
const SCATTER = 0x9e37_79b1;
const HEX = Buffer.from('0123456789abcdef');

export function writeNumber(target: Buffer, offset: number, number: number): void {
  let rest = Math.imul(number, SCATTER);
  for (let at = offset + NUMBER_BYTES - 1; at >= offset; at -= 1) {
    target[at] = HEX[rest & 15] ?? 0;
    rest >>>= 4;
  }
}

export function numberText(number: number): string {
  const text = Buffer.alloc(NUMBER_BYTES);
  writeNumber(text, 0, number);
  return text.toString('latin1');
}

/** The name of object `number`; all names of a range are equally long. */
export function objectName({ prefix, folderDigits }: ObjectRange, number: number): string {
  const text = numberText(number);
  if (folderDigits === 0) return prefix + text;
  return `${prefix}${text.slice(0, folderDigits)}/${text.slice(folderDigits)}`;
}
