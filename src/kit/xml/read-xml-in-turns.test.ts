/** Proves that a document read in turns is the one read at once, and that others have theirs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml, readXmlInTurns } from './read-xml.ts';
import { XmlError } from './xml-error.ts';

test('what stands where a turn ends is read as anywhere else', async () => {
  const odd = '<b c="&quot;d"/>\u{1F600}\r\n&amp;&#13;&#x1;<![CDATA[<x>]]>\u00e9<!-- no -->';
  for (let shift = 0; shift < odd.length; shift += 1) {
    const content = `${'a'.repeat(65_533 - shift)}${odd}${'e'.repeat(70_000)}`;
    const document = Buffer.from(`<a>${content}</a>`);
    assert.deepEqual(await readXmlInTurns(document), readXml(document), `${shift}`);
  }
});

test('a large document holds up nobody', async () => {
  const document = Buffer.from(`<a>${'<b>&lt;</b>'.repeat(90_000)}</a>`);
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  });
  const root = await readXmlInTurns(document);
  clearInterval(timer);
  assert.equal(root.elements.length, 90_000);
  assert(turns >= 5, `${turns} turns`);
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
