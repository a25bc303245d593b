/** Proves that documents are written as S3 writes them, and that no text becomes markup. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { escapeXml, escapeXmlAttribute } from './escape-xml.ts';
import { readXml } from './read-xml.ts';
import { xmlDocument, xmlElement, xmlElementWith, xmlList, xmlText } from './xml-format.ts';

test('a document has its declaration, its namespace and its elements in order', () => {
  const entries = ['a&b', 'c'].map((key) =>
    xmlElement('Contents', xmlText('Key', key), xmlText('ETag', '"0"'), xmlText('Size', 12)),
  );
  const root = xmlElementWith(
    'ListBucketResult',
    { xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/' },
    xmlText('Name', 'bucket'),
    xmlText('Prefix', ''),
    xmlText('NextMarker', undefined),
    undefined,
    xmlText('IsTruncated', false),
    xmlList(entries),
  );
  assert.equal(
    xmlDocument(root),
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      '<Name>bucket</Name><Prefix></Prefix><IsTruncated>false</IsTruncated>' +
      '<Contents><Key>a&amp;b</Key><ETag>"0"</ETag><Size>12</Size></Contents>' +
      '<Contents><Key>c</Key><ETag>"0"</ETag><Size>12</Size></Contents>' +
      '</ListBucketResult>',
  );
});

test('text becomes neither markup nor another text', () => {
  assert.equal(escapeXml('photos/2026/cat.jpg'), 'photos/2026/cat.jpg');
  assert.equal(escapeXml('<a href="x">&amp;]]>'), '&lt;a href="x"&gt;&amp;amp;]]&gt;');
  assert.equal(escapeXml(' a\tb\nc\rd '), ' a&#9;b&#10;c&#13;d ');
  assert.equal(
    escapeXml('\u0001\u001f\u007f\u0085\u2028\ufffe'),
    '&#x1;&#x1f;\u007f&#x85;&#x2028;&#xfffe;',
  );
  assert.equal(escapeXml('é 🐈 日本'), 'é 🐈 日本');
  assert.equal(escapeXmlAttribute('"a" & \'b\''), "&quot;a&quot; &amp; 'b'");
});

test('text without a form in XML is written as the replacement character', () => {
  const document = Buffer.from(xmlDocument(xmlText('Key', 'nul \0, high \ud83d, low \udc08.')));
  assert.equal(readXml(document).text, 'nul \ufffd, high \ufffd, low \ufffd.');
});

test('the value of an attribute is read as it was written', () => {
  const value = '"quoted" <tag> & \t\r\n';
  const element = readXml(Buffer.from(xmlDocument(xmlElementWith('Grantee', { type: value }))));
  assert.equal(element.attribute('type'), value);
});
