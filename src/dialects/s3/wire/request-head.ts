/**
 * The head of a request as values: where it points, what its query and headers say. Nothing is
 * normalised: `//`, `.` and `..` are parts of keys like any other (contracts/s3.md, Transport).
 */
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../../core/errors.ts';
import { type ObjectKey, parseObjectKey } from '../../../core/ids.ts';
import { decodePercent, plusAsSpace } from '../../../kit/sigv4/percent.ts';
import { decodeUtf8 } from '../../../kit/text.ts';
import { canStandInHeader } from './header-text.ts';
import { invalidArgument, S3Refusal } from './s3-refusal.ts';

export type Address =
  | { readonly kind: 'service' }
  /** `bucket` is as sent, not yet known to be a name that a bucket could have. */
  | { readonly kind: 'bucket'; readonly bucket: string }
  | { readonly kind: 'object'; readonly bucket: string; readonly key: ObjectKey };

export type RequestHead = {
  readonly method: string;
  /** Path and query as they stood on the request line, latin1. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly rawHeaders: readonly string[];
  readonly address: Address;
  /** The first value of each parameter; `''` for one without. `+` is a space. */
  readonly query: ReadonlyMap<string, string>;
  /** By lower-case name, latin1; with the `x-amz-*` parameters of the query among them. */
  readonly headers: Readonly<Record<string, string | undefined>>;
};

/** Throws `InvalidURI`, `InvalidArgument`, `KeyTooLongError`. */
export function readHead(request: IncomingMessage): RequestHead {
  const { rawPath, rawQuery } = splitTarget(request.url ?? '/');
  const query = rawQuery === '' ? NO_QUERY : readQuery(rawQuery);
  return {
    method: request.method ?? 'GET',
    rawPath,
    rawQuery,
    rawHeaders: request.rawHeaders,
    address: readAddress(rawPath),
    query,
    headers: query.size === 0 ? plainHeaders(request) : hoist(plainHeaders(request), query),
  };
}

const NO_QUERY: ReadonlyMap<string, string> = new Map();

/**
 * What comes in many lines is joined by Node with a comma and a space, but for cookies, which mean
 * nothing here. S3 joins metadata with the comma alone.
 */
function plainHeaders(request: IncomingMessage): Readonly<Record<string, string | undefined>> {
  const headers = request.headers as Readonly<Record<string, string | undefined>>;
  let repeated: Record<string, string | undefined> | undefined;
  for (const name in headers) {
    if (!name.startsWith(META_PREFIX) || !headers[name]?.includes(', ')) continue;
    repeated ??= { ...headers };
    repeated[name] = linesOf(request.rawHeaders, name).join(',');
  }
  return repeated ?? headers;
}

const META_PREFIX = 'x-amz-meta-';

/** The values of the lines that bear a name, which is in lower case. */
function linesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

/** The target of a request; clients behind proxies may name scheme and host before the path. */
export function splitTarget(url: string): { readonly rawPath: string; readonly rawQuery: string } {
  const target = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
  const at = target.indexOf('?');
  if (at < 0) return { rawPath: target, rawQuery: '' };
  return { rawPath: target.slice(0, at), rawQuery: target.slice(at + 1) };
}

/** The bucket that a request names, whatever else is wrong with its target. */
export function findBucketText({ url = '/' }: IncomingMessage): string | undefined {
  const [, text = ''] = splitTarget(url).rawPath.split('/', 2);
  return text === '' || BAD_ESCAPE.test(text) ? undefined : decodeUtf8(bytesOf(text));
}

function readAddress(rawPath: string): Address {
  if (rawPath === '/' || rawPath === '') return { kind: 'service' };
  if (!rawPath.startsWith('/')) throw new S3Refusal('InvalidURI');
  const at = rawPath.indexOf('/', 1);
  const bucket = decode(at < 0 ? rawPath.slice(1) : rawPath.slice(1, at));
  if (at < 0 || at === rawPath.length - 1) return { kind: 'bucket', bucket };
  return { kind: 'object', bucket, key: readKey(decode(rawPath.slice(at + 1))) };
}

/** Parses a key as S3 words its refusals. */
export function readKey(text: string): ObjectKey {
  try {
    return parseObjectKey(text);
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    if (text.includes('\0') || text === '') throw invalidArgument(error.message, 'Key', text);
    throw new S3Refusal('KeyTooLongError', undefined, { Size: Buffer.byteLength(text) });
  }
}

function readQuery(rawQuery: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  for (const pair of rawQuery.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decode(plusAsSpace(at < 0 ? pair : pair.slice(0, at)));
    const value = at < 0 ? '' : decode(plusAsSpace(pair.slice(at + 1)));
    const known = query.get(name);
    if (known === undefined) query.set(name, value);
    else if (known !== value && TAKEN_AT_ITS_WORD.test(name)) throw saidTwice(name, value);
  }
  return query;
}

/** What selects a version, an upload or a part, or changes what is done, is said one way. */
const TAKEN_AT_ITS_WORD =
  /^(?:versionId|uploadId|partNumber|x-amz-(?!(?:algorithm|credential|date|expires|signedheaders|signature)$).*)$/i;

function saidTwice(name: string, value: string): S3Refusal {
  return invalidArgument('The request says two different things of this.', name, value);
}

const PLAIN = /^[\x21-\x24\x26-\x7e]*$/;
const BAD_ESCAPE = /%(?![0-9A-Fa-f]{2})/;

/** Percent-decodes latin1 text once, as UTF-8. Throws `InvalidURI`. */
export function decode(text: string): string {
  if (PLAIN.test(text)) return text;
  if (BAD_ESCAPE.test(text)) throw new S3Refusal('InvalidURI');
  const decoded = decodeUtf8(bytesOf(text));
  if (decoded === undefined) throw new S3Refusal('InvalidURI');
  return decoded;
}

function bytesOf(text: string): Buffer {
  return Buffer.from(decodePercent(text), 'latin1');
}

/**
 * SDKs move `x-amz-*` headers of a presigned request into its query; they mean the same there,
 * whoever puts them there. Throws `InvalidArgument` where a header says otherwise. Checksums among
 * them are of an empty body, which JavaScript's SDK signs by default: they are ignored
 * (contracts/s3.md, CHOICE).
 */
function hoist(
  headers: Readonly<Record<string, string | undefined>>,
  query: ReadonlyMap<string, string>,
): Readonly<Record<string, string | undefined>> {
  let hoisted: Record<string, string | undefined> | undefined;
  for (const [name, value] of query) {
    const lower = name.toLowerCase();
    if (!lower.startsWith('x-amz-') || IGNORED_PARAMETERS.test(lower)) continue;
    const latin1 = Buffer.from(value, 'utf8').toString('latin1');
    if (!canStandInHeader(lower, latin1)) {
      throw invalidArgument('A parameter of the query cannot stand in a header.', name, value);
    }
    hoisted ??= { ...headers };
    const said = hoisted[lower];
    if (said === undefined) hoisted[lower] = latin1;
    else if (said !== latin1 && lower !== 'x-amz-user-agent') throw saidTwice(name, value);
  }
  return hoisted ?? headers;
}

const IGNORED_PARAMETERS =
  /^x-amz-(?:checksum-.*|sdk-checksum-algorithm|algorithm|credential|date|expires|signedheaders|signature|content-sha256)$/;
