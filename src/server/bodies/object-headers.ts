/** What HTTP says of an object: its own headers, and those that keep it from running anywhere. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { TimeMs } from '../../core/ids.ts';
import type { StoredObject } from '../../core/objects/object.ts';
import type { ByteSpan } from '../../core/ports/blob-store.ts';
import { type Caching, cachingHeaders } from './caching.ts';

/** What a browser may show in place without being able to run it (portal notes, section 5). */
const INLINE_TYPES =
  /^(?:image\/(?:png|jpeg|gif|webp|avif|bmp|x-icon)|audio\/[\w.+-]+|video\/[\w.+-]+|application\/pdf|text\/plain)$/;

export type ObjectHeaderOptions = {
  readonly caching: Caching;
  readonly now: TimeMs;
  /** Under what name a browser saves it. */
  readonly fileName: string;
};

/** Headers of an answer that carries (part of) an object, or says that it has not changed. */
export function objectHeaders(
  object: StoredObject,
  options: ObjectHeaderOptions,
): OutgoingHttpHeaders {
  const { 'content-disposition': disposition, expires: _, ...stored } = object.headers;
  return {
    ...stored,
    ...cachingHeaders(options.caching, object.headers, options.now),
    'content-type': object.contentType,
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.createdAt).toUTCString(),
    'accept-ranges': 'bytes',
    'content-disposition': dispositionOf(object.contentType, disposition, options.fileName),
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  };
}

export function contentRange(span: ByteSpan, sizeBytes: number): string {
  return `bytes ${span.start}-${span.end - 1}/${sizeBytes}`;
}

/** A stored disposition is kept, but for `inline` of a type that is not on the safe list. */
function dispositionOf(contentType: string, stored: string | undefined, fileName: string): string {
  const type = contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const isSafe = INLINE_TYPES.test(type);
  if (stored !== undefined && (isSafe || /^\s*attachment\b/i.test(stored))) return stored;
  return `${isSafe ? 'inline' : 'attachment'}; ${fileNameField(fileName)}`;
}

/**
 * The last segment of a name, without what a file system or header could misread (RFC 6266, 8187).
 */
export function fileNameField(name: string): string {
  const last = name.split('/').findLast((segment) => segment !== '') ?? 'file';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what goes
  const clean = last.replace(/[\u0000-\u001f\u007f\\"]/g, '_');
  const ascii = clean.replace(/[^\x20-\x7e]/g, '_');
  const encoded = encodeURIComponent(clean).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
