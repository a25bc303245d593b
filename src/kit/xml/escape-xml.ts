/** Text as it may stand in an XML document. */

/** NUL apart, these are what XML 1.0 cannot say, what it would read as markup or as a line end. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const SPECIAL = /[&<>\u0000-\u001f\u0085\u2028\ufffe\uffff]/;
const SPECIALS = new RegExp(SPECIAL.source, 'g');
const QUOTE = /"/g;

/**
 * Text for the content of an element. What a parser would change comes back as it was: control
 * characters and line ends are written as references, as S3 writes them. Two things cannot come
 * back: NUL, which no form of XML has, is written as U+FFFD, and lone surrogates become U+FFFD when
 * the document becomes bytes.
 */
export function escapeXml(text: string): string {
  return SPECIAL.test(text) ? text.replace(SPECIALS, referenceTo) : text;
}

/**
 * Text without what XML 1.0 cannot say, of which U+FFFD stands there instead: for echoes, which
 * must be read by any parser and need not come back.
 */
export function sayableText(text: string): string {
  return UNSAYABLE.test(text) ? text.replace(UNSAYABLES, '\ufffd') : text;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNSAYABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;
const UNSAYABLES = new RegExp(UNSAYABLE.source, 'g');

/** `escapeXml` between the double quotes of an attribute. */
export function escapeXmlAttribute(text: string): string {
  return escapeXml(text).replace(QUOTE, '&quot;');
}

function referenceTo(character: string): string {
  switch (character) {
    case '&':
      return '&amp;';
    case '<':
      return '&lt;';
    case '>':
      return '&gt;';
    case '\t':
      return '&#9;';
    case '\n':
      return '&#10;';
    case '\r':
      return '&#13;';
    case '\0':
      return '\ufffd';
    default:
      return `&#x${character.charCodeAt(0).toString(16)};`;
  }
}
