/** Header lines of forms: the boundary, and what stands over each part (RFC 7578, RFC 2183). */
import { decodeUtf8 } from '../text.ts';
import { FormError } from './form-error.ts';

export type PartHead = {
  readonly name: string;
  /** As the sender wrote it, a path perhaps; `undefined` for a part that is no file. */
  readonly fileName: string | undefined;
};

const FORM_TYPE = /^multipart\/form-data[ \t]*(?=;|$)/i;
/** RFC 2046 section 5.1.1: up to seventy characters, the last of them no space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;
const HEADER = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)$/;
const PARAMETER =
  /[ \t]*;[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^"\s;]*))/y;
/** Encodings that leave bytes as they are; RFC 7578 section 4.7 does away with the others. */
const PLAIN_ENCODING = /^(?:7bit|8bit|binary)$/i;

/** Whether a `Content-Type` says that the body is a form. */
export function isFormType(contentType: string): boolean {
  return FORM_TYPE.test(contentType);
}

/** The boundary that a `Content-Type` names; throws `FormError`. */
export function parseFormBoundary(contentType: string): string {
  const type = FORM_TYPE.exec(contentType)?.[0];
  if (type === undefined) throw malformed('The body is no form.');
  const boundary = parseParameters(contentType.slice(type.length)).get('boundary');
  if (boundary !== undefined && BOUNDARY.test(boundary)) return boundary;
  throw malformed('The type of the body does not say what stands between its parts.');
}

/** Reads the header lines of a part, which are latin1 without their ends. Throws `FormError`. */
export function parsePartHead(lines: readonly string[]): PartHead {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = HEADER.exec(line) ?? [];
    const lower = name.toLowerCase();
    if (name === '' || headers.has(lower)) throw malformed('A part has a damaged head.');
    headers.set(lower, value.trim());
  }
  const encoding = headers.get('content-transfer-encoding') ?? 'binary';
  if (!PLAIN_ENCODING.test(encoding)) throw malformed('A part comes in an encoding of its own.');
  return parseDisposition(headers.get('content-disposition') ?? '');
}

function parseDisposition(text: string): PartHead {
  const type = /^form-data[ \t]*(?=;|$)/i.exec(text)?.[0];
  if (type === undefined) throw malformed('A part does not say which field it is.');
  const parameters = parseParameters(text.slice(type.length));
  const name = parameters.get('name');
  if (name === undefined || name === '') throw malformed('A part has no name.');
  const fileName = parameters.get('filename');
  return { name: textOf(name), fileName: fileName === undefined ? undefined : textOf(fileName) };
}

/** Parameters by lower-case name, in latin1. */
function parseParameters(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  const end = text.replace(/[ \t]*;?[ \t]*$/, '').length;
  let at = 0;
  while (at < end) {
    PARAMETER.lastIndex = at;
    const [whole = '', name = '', quoted, token = ''] = PARAMETER.exec(text) ?? [];
    const lower = name.toLowerCase();
    if (whole === '' || parameters.has(lower)) throw malformed('A parameter is damaged.');
    // Windows names come with single backslashes, which quote nothing.
    parameters.set(lower, quoted?.replaceAll(/\\(["\\])/g, '$1') ?? token);
    at += whole.length;
  }
  return parameters;
}

function textOf(latin1: string): string {
  const text = decodeUtf8(Buffer.from(latin1, 'latin1'));
  if (text === undefined) throw malformed('A name is not UTF-8.');
  return text;
}

function malformed(message: string): FormError {
  return new FormError('malformed', message);
}
