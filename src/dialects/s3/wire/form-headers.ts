/** The fields of a form upload that are headers of a PUT in all but their place. */
import type { RequestHead } from './request-head.ts';
import { invalidArgument } from './s3-refusal.ts';

const HEADER_FIELDS: ReadonlySet<string> = new Set([
  ...['cache-control', 'content-disposition', 'content-encoding', 'content-language'],
  ...['content-md5', 'content-type', 'expires'],
]);
/** Said of the form, not of the object. */
const FORM_FIELDS =
  /^x-amz-(?:algorithm|credential|date|signature|security-token|content-sha256|trailer)$/;
const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** What HTTP lets stand in a header; anything else could never be given back. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** By lower-case name, in latin1 as headers come. Throws `InvalidArgument`. */
export function formHeaders(fields: ReadonlyMap<string, string>): RequestHead['headers'] {
  const headers: Record<string, string> = {};
  for (const [field, text] of fields) {
    const name = field === 'acl' ? 'x-amz-acl' : field;
    const isHeader = HEADER_FIELDS.has(name) || name.startsWith('x-amz-');
    if (!isHeader || FORM_FIELDS.test(name)) continue;
    const value = Buffer.from(text, 'utf8').toString('latin1');
    if (!NAME.test(name) || !VALUE.test(value)) {
      throw invalidArgument('A field of the form cannot stand in a header.', field);
    }
    headers[name] = value;
  }
  return headers;
}
