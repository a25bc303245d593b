/** Proves what is read of a document, and that what is refused is refused as an `XmlError`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readXml, type XmlLimits } from './read-xml.ts';
import { XmlError, type XmlErrorKind } from './xml-error.ts';

const read = (document: string | Uint8Array, limits?: XmlLimits) =>
  readXml(Buffer.from(document), limits);

/** What is in the one element `<a>…</a>`. */
const textOf = (content: string) => read(`<a>${content}</a>`).text;

function kindOf(document: string | Uint8Array, limits?: XmlLimits): XmlErrorKind | 'read' {
  try {
    read(document, limits);
    return 'read';
  } catch (error) {
    assert.ok(error instanceof XmlError, String(error));
    assert.ok(error.message.length < 300, error.message.slice(0, 1000));
    return error.kind;
  }
}

test('the entries of a DeleteObjects body are read by local names, whatever the prefix', () => {
  const root = read(
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
      '<s3:Delete xmlns:s3="http://s3.amazonaws.com/doc/2006-03-01/">\n' +
      '  <s3:Quiet>true</s3:Quiet>\n' +
      '  <s3:Object><s3:Key>007</s3:Key></s3:Object>\n' +
      '  <Object><Key>1e3</Key><VersionId>null</VersionId></Object>\n' +
      '  <undeclared:Object><Unknown/><Key/></undeclared:Object>\n' +
      '</s3:Delete>\n',
  );
  assert.equal(root.name, 'Delete');
  assert.equal(root.childText('Quiet'), 'true');
  assert.deepEqual(
    root.children('Object').map((entry) => [entry.childText('Key'), entry.childText('VersionId')]),
    [
      ['007', undefined],
      ['1e3', 'null'],
      ['', undefined],
    ],
  );
  assert.deepEqual(root.children('Key'), [], 'children are not descendants');
  assert.equal(root.child('Object'), root.children('Object')[0]);
  assert.equal(root.child('Nothing'), undefined);
});

test('one entry is a list as well as many', () => {
  const part = '<Part><PartNumber>1</PartNumber><ETag>&quot;abc&quot;</ETag></Part>';
  for (const count of [0, 1, 2, 10_000]) {
    const parts = read(`<CompleteMultipartUpload>${part.repeat(count)}</CompleteMultipartUpload>`);
    assert.equal(parts.children('Part').length, count);
    assert.ok(parts.children('Part').every((one) => one.childText('ETag') === '"abc"'));
  }
});

test('text is kept as it was written, blanks and all', () => {
  assert.equal(textOf('  key with blanks  '), '  key with blanks  ');
  assert.equal(textOf(' \t\n '), ' \t\n ');
  assert.equal(textOf('a&#13;b&#x0D;c&#10;d&#9;e'), 'a\rb\rc\nd\te');
  assert.equal(textOf('a\r\nb\rc'), 'a\nb\nc', 'line ends that are no references are one kind');
  assert.equal(textOf('&lt;&gt;&amp;&quot;&apos;&#38;lt;'), '<>&"\'&lt;');
  assert.equal(textOf('&#128008;&#x1F408;🐈 é\u0085\u2028\ufeff'), '🐈🐈🐈 é\u0085\u2028\ufeff');
  assert.equal(textOf('one<b>inner</b> two<!-- three --> four'), 'one two four');
  assert.equal(
    textOf('<![CDATA[ <b>&amp;</b> ]]> and <![CDATA[]]]]><![CDATA[>]]>'),
    ' <b>&amp;</b>  and ]]>',
  );
});

test('control characters are read from references, and only from references', () => {
  assert.equal(
    textOf('&#1;&#x1f;&#x0001F;&#11;&#xfffe;&#65535;'),
    '\u0001\u001f\u001f\u000b\ufffe\uffff',
  );
  assert.equal(
    textOf('<![CDATA[&#1;]]>&#2;<!-- &#3; --><![CDATA[&control-4;]]>'),
    '&#1;\u0002&control-4;',
  );
  assert.equal(textOf('<!-- <![CDATA[ -->&#1;<!-- &control-1; -->'), '\u0001');
  assert.equal(read('<a type="&#1;"/>').attribute('type'), '\u0001');
  for (const content of [
    ...['\u0001', '\u001f', '\ufffe', '<![CDATA[\u0001]]>'],
    ...['&#0;', '&#x0;', '&#xd800;', '&#x110000;', '&#X1;', '&#;', '&#x;', '&#-1;', '&#1', '&# 1;'],
    ...[`&#${'9'.repeat(1000)};`, '&#1.5;', '&#1e1;'],
  ]) {
    assert.equal(kindOf(`<a>${content}</a>`), 'malformed', content);
  }
  assert.equal(kindOf('<a>&control-1;</a>'), 'refused', 'a name of our own is no entity');
  assert.equal(kindOf('<a>&#1;&control-1;</a>'), 'refused');
});

test('attributes are found by local names, and namespaces are none', () => {
  const grantee = read(
    '<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="x" xsi:type="Canonical&amp;User"/>',
  );
  assert.equal(grantee.attribute('type'), 'Canonical&User');
  assert.equal(grantee.attribute('xsi'), undefined);
  const siblings = read('<a><b type="one"/><b/><b type="two"><c/></b></a>');
  assert.deepEqual(
    siblings.children('b').map((element) => element.attribute('type')),
    ['one', undefined, 'two'],
  );
  assert.equal(siblings.children('b')[2]?.child('c')?.attribute('type'), undefined);
});

test('a byte order mark, a declaration, comments and blanks around the root are tolerated', () => {
  for (const document of [
    '\ufeff<a/>',
    '\ufeff<?xml version="1.0" encoding="utf-8"?><a/>',
    "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<a></a>\n",
    '<?xml version="1.0"?><!-- before --><a ></a ><!-- behind -->\n\n',
  ]) {
    assert.equal(read(document).name, 'a', document);
  }
});

test('document types, entities, instructions and other encodings are refused', () => {
  const many = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`);
  for (const document of [
    '<!DOCTYPE a><a/>',
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1/">]><a>&x;</a>',
    `<!DOCTYPE a [<!ENTITY l0 "lol">${many.join('')}]><a>&l9;</a>`,
    '<?xml-stylesheet href="x"?><a/>',
    '<a><?php x ?></a>',
    '<a/><?x?>',
    '<?xml version="1.1"?><a/>',
    '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
    '<?xml version="1.0" encoding="UTF-16"?><a/>',
  ]) {
    assert.equal(kindOf(document), 'refused', document);
  }
});

test('what is no document is malformed', () => {
  for (const document of [
    ...['', ' ', 'hello', '<', '<a', '<a>', '<a></b>', '</a>', '<a/><b/>', '<a/>text', 'text<a/>'],
    ...['<a b/>', '<a b=c/>', '<a b="1" b="2"/>', '<a b="<"/>', '<1/>', '< a/>', '<a><b></a></b>'],
    ...[
      '<a>&nothing;</a>',
      '<a>&amp</a>',
      '<a>&</a>',
      '<a>&constructor;</a>',
      '<a>&__proto__;</a>',
    ],
    ...[
      '<a>]]></a>',
      '<a><!-- -- --></a>',
      '<a><![CDATA[</a>',
      '<a><!-- </a>',
      '<!ENTITY x "y"><a/>',
    ],
    ...['<?xml?><a/>', ' <?xml version="1.0"?><a/>', '<a><?xml version="1.0"?></a>', '{"a":1}'],
  ]) {
    assert.equal(kindOf(document), 'malformed', document);
  }
  for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x90]]) {
    const document = Buffer.concat([Buffer.from('<a>'), Buffer.from(bytes), Buffer.from('</a>')]);
    assert.equal(kindOf(document), 'malformed', 'bytes that are no UTF-8');
  }
  assert.equal(kindOf(Buffer.from('\ufeff<a/>', 'utf16le')), 'malformed');
});

test('an error cites a document of any length in short', () => {
  const long = 'a'.repeat(100_000);
  assert.equal(kindOf(`<${long}>`), 'malformed');
  assert.equal(kindOf(`<a>&control-${long};</a>`), 'too_large');
  assert.equal(kindOf(`<?xml version="1.0" encoding="${long}"?><a/>`), 'refused');
});

test('each limit holds what it says and no more', () => {
  const nested = (depth: number) => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`;
  const attributes = (count: number) =>
    `<a ${Array.from({ length: count }, (_, index) => `a${index}=""`).join(' ')}/>`;
  assert.equal(kindOf(nested(16)), 'read');
  assert.equal(kindOf(nested(17)), 'too_large');
  assert.equal(kindOf(nested(3), { depthMax: 2 }), 'too_large');
  assert.equal(kindOf(`<a>${'<b/>'.repeat(99_999)}</a>`), 'read');
  assert.equal(kindOf(`<a>${'<b/>'.repeat(100_000)}</a>`), 'too_large');
  assert.equal(kindOf('<a><b/><c/></a>', { elementsMax: 2 }), 'too_large');
  assert.equal(kindOf(attributes(64)), 'read');
  assert.equal(kindOf(attributes(65)), 'too_large');
  assert.equal(kindOf('<a>é</a>', { sizeBytesMax: 9 }), 'read');
  assert.equal(kindOf('<a>é</a>', { sizeBytesMax: 8 }), 'too_large');
});

test('the largest list of parts that S3 takes is read', () => {
  const checksums = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']
    .map((name) => `<Checksum${name}>${'A'.repeat(44)}</Checksum${name}>`)
    .join('');
  const parts = Array.from(
    { length: 10_000 },
    (_, index) =>
      `<Part><PartNumber>${index + 1}</PartNumber><ETag>"${'0'.repeat(32)}"</ETag>${checksums}</Part>`,
  );
  const root = read(`<C>${parts.join('')}</C>`, { sizeBytesMax: 8 * 1024 * 1024 });
  assert.equal(root.children('Part').at(-1)?.childText('PartNumber'), '10000');
});
