/**
 * The policy of a form upload, as its document says it (Amazon S3 API reference, "POST Policy").
 * What it says is held against a form by `post-policy.ts`.
 */
import { decodeUtf8 } from '../../../kit/text.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';

export type PolicyCondition = {
  readonly kind: 'eq' | 'starts-with';
  /** In lower case, without `$`. */
  readonly field: string;
  readonly value: string;
};

export type PostPolicy = {
  readonly expiresAtMs: number;
  readonly conditions: readonly PolicyCondition[];
  /** Of the file; the narrowest of what stands there. */
  readonly sizeBytesMin: number;
  readonly sizeBytesMax: number;
};

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;

/** Parses the field `policy`; throws `InvalidPolicyDocument`. */
export function parsePostPolicy(base64: string): PostPolicy {
  const document = readDocument(base64);
  const { expiration, conditions } = document;
  if (expiration === undefined) throw invalidPolicy('Policy missing expiration.');
  if (!Array.isArray(conditions)) throw invalidPolicy('Policy missing conditions.');
  const list: readonly unknown[] = conditions;
  const ranges = list.filter(isRange).map(readRange);
  return {
    expiresAtMs: readTime(expiration),
    conditions: list.filter((condition) => !isRange(condition)).flatMap(readCondition),
    sizeBytesMin: Math.max(0, ...ranges.map(({ min }) => min)),
    sizeBytesMax: Math.min(Number.MAX_SAFE_INTEGER, ...ranges.map(({ max }) => max)),
  };
}

function readDocument(base64: string): Readonly<Record<string, unknown>> {
  const bare = base64.replaceAll(/\s/g, '');
  const text = BASE64.test(bare) ? decodeUtf8(Buffer.from(bare, 'base64')) : undefined;
  if (text === undefined) throw invalidPolicy('Policy is not base64 of text.');
  const document = readJson(text);
  if (!isRecord(document)) throw invalidPolicy('Policy is no JSON object.');
  return document;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text.replaceAll(/\\./gs, asJsonEscape));
  } catch (error) {
    if (error instanceof SyntaxError) throw invalidPolicy('Invalid JSON.');
    throw error;
  }
}

/** Policies may escape two characters that JSON does not. */
function asJsonEscape(pair: string): string {
  if (pair === '\\$') return '$';
  return pair === '\\v' ? '\\u000b' : pair;
}

function readTime(expiration: unknown): number {
  const isTime = typeof expiration === 'string' && ISO_TIME.test(expiration);
  const at = isTime ? Date.parse(expiration) : Number.NaN;
  if (Number.isNaN(at))
    throw invalidPolicy('Invalid expiration: it is a time like 2026-01-01T00:00:00Z.');
  return at;
}

function isRange(condition: unknown): condition is readonly unknown[] {
  return Array.isArray(condition) && nameOf(condition[0]) === 'content-length-range';
}

function readRange([, min, max, ...rest]: readonly unknown[]): {
  readonly min: number;
  readonly max: number;
} {
  if (rest.length > 0) throw invalidPolicy('content-length-range has two limits.');
  return { min: readSize(min), max: readSize(max) };
}

function readSize(size: unknown): number {
  const isDigits = typeof size === 'string' && /^\d{1,16}$/.test(size);
  const bytes = isDigits ? Number(size) : size;
  if (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw invalidPolicy('content-length-range has two limits, which are numbers of bytes.');
}

/** `{"field": "value", …}` or `["eq", "$field", "value"]`. */
function readCondition(condition: unknown): readonly PolicyCondition[] {
  if (Array.isArray(condition)) return [readMatch(condition)];
  const entries = isRecord(condition) ? Object.entries(condition) : [];
  if (entries.length === 0) throw invalidPolicy('A condition is empty.');
  return entries.map(([field, value]) => ({
    kind: 'eq',
    field: field.toLowerCase(),
    value: readText(value),
  }));
}

function readMatch([operator, field, value, ...rest]: readonly unknown[]): PolicyCondition {
  const kind = nameOf(operator);
  if ((kind !== 'eq' && kind !== 'starts-with') || rest.length > 0) {
    throw invalidPolicy('A condition is neither eq, starts-with nor content-length-range.');
  }
  const name = readText(field);
  if (!name.startsWith('$')) throw invalidPolicy('The field of a condition begins with $.');
  return { kind, field: name.slice(1).toLowerCase(), value: readText(value) };
}

function nameOf(operator: unknown): string {
  return typeof operator === 'string' ? operator.toLowerCase() : '';
}

function readText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw invalidPolicy('The values of conditions are texts.');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalidPolicy(problem: string): S3Refusal {
  return new S3Refusal('InvalidPolicyDocument', `Invalid Policy: ${problem}`);
}
