/** Byte ranges (RFC 9110 section 14), as S3 and the Files API answer them. */
import { ServiceError } from '../../errors.ts';
import type { ByteSpan } from '../../ports/blob-store.ts';

/** What a request gets: all bytes, or a part that is said to be one. */
export type ResolvedRange = { readonly span: ByteSpan; readonly isPartial: boolean };

const RANGE = /^bytes=(?<first>\d*)-(?<last>\d*)$/;

/**
 * Resolves a `Range` field against an object of `sizeBytes`. Other units, garbage, several ranges
 * and a last byte before the first are ignored, as both contracts say. Throws
 * `range_not_satisfiable`.
 */
export function resolveRange(text: string | undefined, sizeBytes: number): ResolvedRange {
  const whole = { span: { start: 0, end: sizeBytes }, isPartial: false };
  const groups = text === undefined ? undefined : RANGE.exec(text.trim())?.groups;
  if (groups === undefined) return whole;
  const { first = '', last = '' } = groups;
  if (first === '') {
    if (last === '') return whole;
    return resolveSuffix(Number(last), sizeBytes, whole);
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < start) return whole;
  if (start >= sizeBytes) throw notSatisfiable(sizeBytes);
  return { span: { start, end }, isPartial: true };
}

/** `bytes=-n`: the last n bytes; of an empty object, all of nothing. */
function resolveSuffix(length: number, sizeBytes: number, whole: ResolvedRange): ResolvedRange {
  if (length === 0) throw notSatisfiable(sizeBytes);
  if (sizeBytes === 0) return whole;
  return { span: { start: Math.max(0, sizeBytes - length), end: sizeBytes }, isPartial: true };
}

function notSatisfiable(sizeBytes: number): ServiceError {
  return new ServiceError('range_not_satisfiable', 'The range lies outside the object.', {
    details: { sizeBytes },
  });
}
