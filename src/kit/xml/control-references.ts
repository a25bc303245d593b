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

/**
 * CDATA sections and comments, in which nothing is a reference, come first and are taken whole, up
 * to the end of the text when they never end: no character is looked at twice.
 */
const REFERENCE =
  /<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|<!--[\s\S]*?(?:-->|$)|&(?:#(x[\da-f]+|\d+)|(control-)[^;<&]*);/gi;

/** The document with its references to control characters as names of `CONTROL_ENTITIES`. */
export function nameControlReferences(document: string): string {
  if (!document.includes('&')) return document;
  return document.replace(REFERENCE, (whole, code?: string, name?: string) => {
    if (name !== undefined) throw new XmlError('refused', `The entity ${whole} is not known.`);
    const named = code === undefined ? undefined : NAMES.get(codeOf(code));
    return named === undefined ? whole : `&${named};`;
  });
}

/** The number after `#`: decimal, or hexadecimal after `x`, which XML wants in lower case. */
function codeOf(digits: string): number {
  return digits.startsWith('x') ? Number.parseInt(digits.slice(1), 16) : Number(digits);
}
