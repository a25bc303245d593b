/**
 * References to characters that XML 1.0 cannot say, such as `&#x1;`. S3 writes keys that hold them
 * so, and a client that sends the key back must be understood; a parser that keeps to the letter
 * refuses them. They become named entities before it reads the document.
 */
import { XmlError } from './xml-error.ts';

const NAME_PREFIX = 'control-';

/** All control characters but NUL, tab and the line ends, and the two that are no characters. */
const CONTROL_CODES: readonly number[] = [
  ...Array.from({ length: 0x1f }, (_, index) => index + 1).filter(
    (code) => code !== 0x09 && code !== 0x0a && code !== 0x0d,
  ),
  0xfffe,
  0xffff,
];

const NAMES: ReadonlyMap<number, string> = new Map(
  CONTROL_CODES.map((code) => [code, `${NAME_PREFIX}${code}`]),
);

/** What the named entities mean. */
export const CONTROL_ENTITIES: Readonly<Record<string, string>> = Object.fromEntries(
  [...NAMES].map(([code, name]) => [name, String.fromCharCode(code)]),
);

const REFERENCE = /&(?:#(x[\da-f]+|\d+)|(control-)[^;<&]*);/gi;

/** What opens a section in which nothing is a reference, and what ends it. */
const OPENING = /<!(?:\[CDATA\[|--)/g;
const ENDS: ReadonlyMap<string, string> = new Map([
  ['<![CDATA[', ']]>'],
  ['<!--', '-->'],
]);
const OPENING_LENGTH_MAX = '<![CDATA['.length;

/**
 * The document with its references to control characters as names of `CONTROL_ENTITIES`, in
 * pieces of about `lengthMax`: whoever reads it may do other things in between. A section that
 * never ends goes to the end of the text.
 */
export function* nameControlReferences(document: string, lengthMax: number): Generator<string> {
  let at = 0;
  while (at < document.length) {
    const window = document.slice(at, windowEnd(document, at, lengthMax));
    const { piece, section } = nameInWindow(document, window, at);
    yield piece;
    at += window.length;
    if (section === undefined) continue;
    for (at = section.start; at < section.end; at += lengthMax) {
      yield document.slice(at, Math.min(at + lengthMax, section.end));
    }
    at = section.end;
  }
}

type Section = { readonly start: number; readonly end: number };

/** The names of a window, up to a section that goes on beyond it. */
function nameInWindow(
  document: string,
  window: string,
  at: number,
): { readonly piece: string; readonly section: Section | undefined } {
  let piece = '';
  let from = 0;
  for (;;) {
    OPENING.lastIndex = from;
    const match = OPENING.exec(window);
    if (match === null) return { piece: piece + named(window.slice(from)), section: undefined };
    piece += named(window.slice(from, match.index));
    const [opening] = match;
    const end = ENDS.get(opening) ?? opening;
    const closes = document.indexOf(end, at + match.index + opening.length);
    const sectionEnd = closes < 0 ? document.length : closes + end.length;
    if (sectionEnd - at > window.length) {
      return { piece, section: { start: at + match.index, end: sectionEnd } };
    }
    piece += window.slice(match.index, sectionEnd - at);
    from = sectionEnd - at;
  }
}

/** Where to stop looking from `at`: not within a reference, nor within what opens a section. */
function windowEnd(document: string, at: number, lengthMax: number): number {
  if (at + lengthMax >= document.length) return document.length;
  const window = document.slice(at, at + lengthMax);
  const mark = window.lastIndexOf('<');
  const edge = mark > lengthMax - OPENING_LENGTH_MAX ? mark : lengthMax;
  const reference = window.lastIndexOf('&', edge - 1);
  if (reference < 0 || window.slice(reference, edge).includes(';')) return at + edge;
  if (reference > 0) return at + reference;
  throw new XmlError('too_large', 'A reference is longer than any that means something.');
}

function named(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(REFERENCE, (whole, code?: string, name?: string) => {
    if (name !== undefined) throw new XmlError('refused', `The entity ${whole} is not known.`);
    const known = code === undefined ? undefined : NAMES.get(codeOf(code));
    return known === undefined ? whole : `&${known};`;
  });
}

/** The number after `#`: decimal, or hexadecimal after `x`, which XML wants in lower case. */
function codeOf(digits: string): number {
  return digits.startsWith('x') ? Number.parseInt(digits.slice(1), 16) : Number(digits);
}
