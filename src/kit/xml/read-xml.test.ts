/** Proves what is read of a document, and that what is refused is refused as an `XmlError`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml } from './read-xml.ts';
import { XmlError } from './xml-error.ts';

const read = (text: string) => readXml(Buffer.from(text));

test('the entries of a DeleteObjects body are read by local names', () => {
  const root = read(
    '<?xml version="1.0" encoding="UTF-8"?><s3:Delete xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/">' +
      '<s3:Quiet>true</s3:Quiet><s3:Object><s3:Key>007</s3:Key></s3:Object>' +
      '<Object><Key>1e3</Key><VersionId>null</VersionId></Object></s3:Delete>',
  );
  assert.equal(root.name, 'Delete');
  assert.equal(root.childText('Quiet'), 'true');
  assert.deepEqual(
    root.children('Object').map((entry) => [entry.childText('Key'), entry.childText('VersionId')]),
    [
      ['007', undefined],
      ['1e3', 'null'],
    ],
  );
});

test('what is no document is malformed', () => {
  for (const text of ['', 'hello', '<a>', '<a></b>', '<a/><b/>', '<a>&nothing;</a>', '<a b/>']) {
    assert.throws(
      () => read(text),
      (error) => error instanceof XmlError && error.kind === 'malformed',
      text,
    );
  }
});
