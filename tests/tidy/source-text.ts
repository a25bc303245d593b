/**
 * Parts of a TypeScript text. The compiler offers no stable interface for this yet, and the rules
 * need little: what is code, and what only looks like it in a comment, a string or a regular
 * expression.
 */

export type SourceText = {
  /** The text with comments, strings and regular expressions blanked; every position is kept. */
  readonly code: string;
  /** The text with all but comments blanked. */
  readonly comments: string;
};

/** After these a slash begins a regular expression; after anything else it divides. */
const BEFORE_REGEX =
  /(?:^|[=(,:;!&|?{}[\]+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|await|yield|do|else))$/;

type Kind = 'code' | 'comment' | 'string';

export function readSourceText(text: string): SourceText {
  const scan: Scan = { text, kinds: [], at: 0, isCodeEndedBy: undefined };
  scanCode(scan);
  return { code: keep(scan, 'code'), comments: keep(scan, 'comment') };
}

type Scan = {
  readonly text: string;
  /** The kind of every character up to `at`. */
  readonly kinds: Kind[];
  at: number;
  isCodeEndedBy: string | undefined;
};

/** Up to the end, or to the brace that ends an expression within a template. */
function scanCode(scan: Scan): void {
  let depth = 0;
  while (scan.at < scan.text.length) {
    const { text, at } = scan;
    const character = text[at];
    if (text.startsWith('//', at)) take(scan, endOf(text, '\n', at), 'comment');
    else if (text.startsWith('/*', at)) take(scan, endOf(text, '*/', at + 2) + 2, 'comment');
    else if (character === "'" || character === '"') takeString(scan, character);
    else if (character === '`') takeTemplate(scan);
    else if (character === '/' && isRegexNext(scan)) takeRegex(scan);
    else {
      if (character === '{') depth += 1;
      if (character === '}') {
        if (depth === 0 && scan.isCodeEndedBy === '}') return;
        depth -= 1;
      }
      take(scan, at + 1, 'code');
    }
  }
}

function take(scan: Scan, end: number, kind: Kind): void {
  const stop = Math.min(end, scan.text.length);
  for (; scan.at < stop; scan.at += 1) scan.kinds.push(kind);
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from);
  return at === -1 ? text.length : at;
}

function takeString(scan: Scan, quote: string): void {
  let end = scan.at + 1;
  while (end < scan.text.length && scan.text[end] !== quote && scan.text[end] !== '\n') {
    end += scan.text[end] === '\\' ? 2 : 1;
  }
  take(scan, end + 1, 'string');
}

function takeTemplate(scan: Scan): void {
  take(scan, scan.at + 1, 'string');
  while (scan.at < scan.text.length) {
    if (scan.text[scan.at] === '`') {
      take(scan, scan.at + 1, 'string');
      return;
    }
    if (scan.text.startsWith('${', scan.at)) {
      take(scan, scan.at + 2, 'string');
      const { isCodeEndedBy } = scan;
      scan.isCodeEndedBy = '}';
      scanCode(scan);
      scan.isCodeEndedBy = isCodeEndedBy;
      take(scan, scan.at + 1, 'string');
    } else {
      take(scan, scan.at + (scan.text[scan.at] === '\\' ? 2 : 1), 'string');
    }
  }
}

function isRegexNext(scan: Scan): boolean {
  let before = '';
  for (let at = scan.at - 1; at >= 0 && before.length < 12; at -= 1) {
    const kind = scan.kinds[at];
    if (kind === 'string') return false;
    if (kind === 'code') before = `${scan.text[at]}${before}`;
  }
  return BEFORE_REGEX.test(before.trimEnd());
}

function takeRegex(scan: Scan): void {
  let end = scan.at + 1;
  let isInClass = false;
  while (end < scan.text.length && scan.text[end] !== '\n') {
    const character = scan.text[end];
    if (character === '[') isInClass = true;
    if (character === ']') isInClass = false;
    if (character === '/' && !isInClass) break;
    end += character === '\\' ? 2 : 1;
  }
  take(scan, end + 1, 'string');
}

function keep(scan: Scan, kind: Kind): string {
  return scan.text.replaceAll(/[^\n]/g, (character, at: number) =>
    scan.kinds[at] === kind ? character : ' ',
  );
}
