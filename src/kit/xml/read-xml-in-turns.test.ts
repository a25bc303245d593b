/** Proves that a document read in turns is the one read at once, and that others have theirs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml, readXmlInTurns } from './read-xml.ts';
import { XmlError } from './xml-error.ts';

test('what stands where a turn ends is read as anywhere else', async () => {
  const odd = '<b c="&quot;d"/>\u{1F600}\r\n&amp;&#13;&#x1;<![CDATA[<x>]]>\u00e9<!-- no -->';
  for (let shift = 0; shift < odd.length; shift += 1) {
    const content = `${'a'.repeat(16_381 - shift)}${odd}${'e'.repeat(70_000)}`;
    const document = Buffer.from(`<a>${content}</a>`);
    assert.deepEqual(await readXmlInTurns(document), readXml(document), `${shift}`);
  }
});

/** How often others had their turn while `content` was read. */
async function turnsWith(content: string): Promise<number> {
  let turns = 0;
  let isReading = true;
  const next = () => {
    turns += 1;
    if (isReading) setImmediate(next);
  };
  setImmediate(next);
  const sizeBytesMax = 8 * 1024 * 1024;
  await readXmlInTurns(Buffer.from(`<a>${content}</a>`), { sizeBytesMax });
  isReading = false;
  return turns;
}

test('a large document holds up nobody, whatever it consists of', async () => {
  for (const [piece, count] of [
    ['<b>&lt;</b>', 90_000],
    ['&#1;', 1_000_000],
    ['&amp;', 1_000_000],
    ['<![CDATA[&#1;]]>', 250_000],
    ['<!--&#1;-->', 350_000],
    ['text', 1_000_000],
  ] as const) {
    const turns = await turnsWith(piece.repeat(count));
    // One for each 16 KiB, or nearly: no turn does the work of ten.
    const least = (piece.length * count) / (16 * 1024) - 10;
    assert(turns >= least, `${piece}: ${turns} turns, not ${least}`);
  }
  const section = await turnsWith(`<![CDATA[${'&#1;'.repeat(1_000_000)}]]>`);
  assert(section >= 200, `${section} turns`);
});

test('a reference longer than a turn is refused, and one in a section is none', async () => {
  const long = `&#${'0'.repeat(40_000)}1;`;
  await assert.rejects(readXmlInTurns(Buffer.from(`<a>${long}</a>`)), { kind: 'too_large' });
  const root = await readXmlInTurns(Buffer.from(`<a><![CDATA[${long}]]>&#1;</a>`));
  assert.equal(root.text, `${long}\u0001`);
});

test('what is refused is refused, in whichever turn it comes', async () => {
  for (const document of [
    '<a>',
    `<a>${'x'.repeat(200_000)}</b>`,
    `${' '.repeat(200_000)}<!DOCTYPE a>`,
  ]) {
    await assert.rejects(
      readXmlInTurns(Buffer.from(document)),
      (error) => error instanceof XmlError,
    );
  }
});
