/** What every listing of S3 has in common: its parameters, and how keys are written. */
import type { ListEntry, ListPosition } from '../../../core/ports/metadata/objects.ts';
import { sayableText } from '../../../kit/xml/escape-xml.ts';
import { type Xml, xmlElement, xmlText } from '../../../kit/xml/xml-format.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { invalidArgument } from '../wire/s3-refusal.ts';

const PAGE_MAX = 1000;

/** How names stand in the answer: as they are, or percent-encoded. */
export type NameEncoding = {
  readonly kind: 'url' | undefined;
  readonly of: (name: string) => string;
};

/**
 * How the names of objects are written. Without `url` they stand as they are and the document
 * writes references, as AWS does. Throws `InvalidArgument` for any other encoding than `url`.
 */
export function readEncoding(query: RequestHead['query']): NameEncoding {
  return readEncodingOr((name) => name, query);
}

/**
 * How the names of uploads are written. SDKs ask for listings of objects with `url` by themselves
 * and for these never: without it U+FFFD stands for what XML cannot say, so that one name does not
 * hide all others from a strict parser. Throws as `readEncoding`.
 */
export function readUploadEncoding(query: RequestHead['query']): NameEncoding {
  return readEncodingOr(sayableText, query);
}

function readEncodingOr(plain: NameEncoding['of'], query: RequestHead['query']): NameEncoding {
  const text = query.get('encoding-type');
  if (text === undefined || text === '') return { kind: undefined, of: plain };
  if (text === 'url') return { kind: 'url', of: encodeName };
  throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', text);
}

const PLAIN_NAME = /^[A-Za-z0-9\-._~/]*$/;

function encodeName(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  return encodeURIComponent(name.toWellFormed())
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A page's length: 1,000 unless fewer are asked for, however many. Throws `InvalidArgument`. */
export function readPageLength(query: RequestHead['query'], name: string): number {
  const text = query.get(name);
  if (text === undefined || text === '') return PAGE_MAX;
  if (!/^\d+$/.test(text)) {
    throw invalidArgument(
      `Argument ${name} must be an integer between 0 and 2147483647`,
      name,
      text,
    );
  }
  return Math.min(Number(text), PAGE_MAX);
}

/** Where the next page begins: after the last entry of this one. */
export function positionAfter(entry: ListEntry): ListPosition {
  return entry.kind === 'object'
    ? { kind: 'afterKey', key: entry.object.key }
    : { kind: 'afterPrefix', prefix: entry.prefix };
}

/** The key or the common prefix of an entry. */
export function nameOf(entry: ListEntry): string {
  return entry.kind === 'object' ? entry.object.key : entry.prefix;
}

export function prefixElement(prefix: string, encoding: NameEncoding): Xml {
  return xmlElement('CommonPrefixes', xmlText('Prefix', encoding.of(prefix)));
}
