/** Reads answers of S3 without our own XML, so that one cannot hide the other's mistakes. */

const NAMED: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
};

/** What stands within each `<name>`, as it is. */
export function elementsOf(xml: string, name: string): readonly string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>(.*?)</${name}>`, 'gs');
  return [...xml.matchAll(pattern)].map(([, content = '']) => content);
}

/** The same with its references resolved. */
export function textsOf(xml: string, name: string): readonly string[] {
  return elementsOf(xml, name).map((text) =>
    text.replaceAll(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex, decimal, word) => {
      if (word !== undefined) return NAMED[word] ?? whole;
      return String.fromCodePoint(Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16));
    }),
  );
}
