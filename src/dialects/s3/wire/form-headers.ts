/** The fields of a form upload that are headers of a PUT in all but their place. */
import { canStandInHeader } from './header-text.ts';
import type { RequestHead } from './request-head.ts';
import { invalidArgument } from './s3-refusal.ts';

const HEADER_FIELDS: ReadonlySet<string> = new Set([
  ...['cache-control', 'content-disposition', 'content-encoding', 'content-language'],
  ...['content-md5', 'content-type', 'expires'],
]);
/** Said of the form, not of the object. */
const FORM_FIELDS =
  /^x-amz-(?:algorithm|credential|date|signature|security-token|content-sha256|trailer)$/;

/** By lower-case name, in latin1 as headers come. Throws `InvalidArgument`. */
export function formHeaders(fields: ReadonlyMap<string, string>): RequestHead['headers'] {
  const headers: Record<string, string> = {};
  for (const [field, text] of fields) {
    const name = field === 'acl' ? 'x-amz-acl' : field;
    const isHeader = HEADER_FIELDS.has(name) || name.startsWith('x-amz-');
    if (!isHeader || FORM_FIELDS.test(name)) continue;
    const value = Buffer.from(text, 'utf8').toString('latin1');
    if (!canStandInHeader(name, value)) {
      throw invalidArgument('A field of the form cannot stand in a header.', field);
    }
    headers[name] = value;
  }
  return headers;
}
