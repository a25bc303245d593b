import { reencodePath, reencodeQueryPart } from './percent.ts';

/** What of a request is signed. Texts are latin1, one character a byte, as Node gives them. */
export type SignedRequest = {
  readonly method: string;
  /** The path as on the request line, before the `?`. */
  readonly rawPath: string;
  /** What follows the `?`; empty when nothing does. */
  readonly rawQuery: string;
  /** Node's flat list of names and values. */
  readonly rawHeaders: readonly string[];
  /** Lower-case names, in the order in which they were signed. */
  readonly signedHeaders: readonly string[];
  /** The text of `x-amz-content-sha256`, or what stands for it. */
  readonly payloadHash: string;
  /** The signature stands in the query, and is no part of what was signed. */
  readonly isPresigned: boolean;
  /** By lower-case name, values in place of those that a proxy may have changed. */
  readonly overrides?: ReadonlyMap<string, string>;
};

/** Up to here looking each name up in the flat list is cheaper than indexing the list first. */
const FEW_HEADERS = 12;

/** The canonical request of Signature Version 4, as latin1; never throws. */
export function canonicalRequest(request: SignedRequest): string {
  const { method, rawPath, signedHeaders, payloadHash } = request;
  const path = rawPath === '' ? '/' : reencodePath(rawPath);
  const query = request.rawQuery === '' ? '' : canonicalQuery(request);
  const names = signedHeaders.length === 1 ? signedHeaders[0] : signedHeaders.join(';');
  return `${method}\n${path}\n${query}\n${canonicalHeaders(request)}\n${names}\n${payloadHash}`;
}

/** Names and values encoded anew, sorted by name and then by value, as bytes. */
function canonicalQuery({ rawQuery, isPresigned }: SignedRequest): string {
  const pairs: { readonly name: string; readonly value: string }[] = [];
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = reencodeQueryPart(equals === -1 ? pair : pair.slice(0, equals));
    if (isPresigned && name === 'X-Amz-Signature') continue;
    pairs.push({ name, value: equals === -1 ? '' : reencodeQueryPart(pair.slice(equals + 1)) });
  }
  // Encoded texts are ASCII, so that JavaScript's order is the order of the bytes.
  if (pairs.length > 1) {
    pairs.sort((one, other) => compare(one.name, other.name) || compare(one.value, other.value));
  }
  return pairs.map(({ name, value }) => `${name}=${value}`).join('&');
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function canonicalHeaders({ rawHeaders, signedHeaders, overrides }: SignedRequest): string {
  const index = signedHeaders.length > FEW_HEADERS ? indexHeaders(rawHeaders) : undefined;
  let lines = '';
  for (const name of signedHeaders) {
    const value =
      overrides?.get(name) ??
      (index === undefined ? findValue(rawHeaders, name) : (index.get(name) ?? ''));
    lines += `${name}:${value}\n`;
  }
  return lines;
}

/** Values of one name, joined by commas in the order of their arrival. */
function findValue(rawHeaders: readonly string[], name: string): string {
  let joined: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const raw = rawHeaders[at] ?? '';
    if (raw.length !== name.length || (raw !== name && raw.toLowerCase() !== name)) continue;
    const value = trimmed(rawHeaders[at + 1] ?? '');
    joined = joined === undefined ? value : `${joined},${value}`;
  }
  return joined ?? '';
}

function indexHeaders(rawHeaders: readonly string[]): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = trimmed(rawHeaders[at + 1] ?? '');
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return values;
}

/**
 * Without white space at the ends, inner runs of it one space. Only spaces and tabs are white: a
 * no-break space is half of a letter here, because the text is bytes.
 */
function trimmed(value: string): string {
  if (!UNEVEN.test(value)) return value;
  const even = value.replaceAll(/[ \t]+/g, ' ');
  return even.slice(even.startsWith(' ') ? 1 : 0, even.endsWith(' ') ? -1 : even.length);
}

const UNEVEN = /^ | $| {2}|\t/;
