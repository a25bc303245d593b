/** Proves that what is written is read back, and that no bytes bring more than an `XmlError`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readXml } from '../../src/kit/xml/read-xml.ts';
import type { XmlElement } from '../../src/kit/xml/xml-element.ts';
import { XmlError } from '../../src/kit/xml/xml-error.ts';
import {
  type Xml,
  xmlDocument,
  xmlElement,
  xmlElementWith,
  xmlText,
} from '../../src/kit/xml/xml-format.ts';
import { runsOf } from '../world/effort.ts';

const PROPERTY = { numRuns: runsOf({ short: 1000, long: 100_000 }) };
const BYTES = 2 * 1024 * 1024;

/** Text of any code units; what has no form in XML is written as U+FFFD. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.string({ unit: fc.constantFrom(...'<>&;#x1"\'] \t\r\n\u0001\u0085\u2028\ufffe\ufeff') }),
  fc.constantFrom(']]>', '&#1;', '&control-1;', '<![CDATA[', '<!--', '\ufeff', '\r\n'),
);
const asRead = (text: string) => text.replaceAll('\0', '\ufffd').toWellFormed();

type Tree = { readonly name: string; readonly text: string; readonly elements: readonly Tree[] };

const name = fc.constantFrom('Key', 'Object', 'ETag', 'Part', 'ListBucketResult');
const { tree } = fc.letrec<{ readonly tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.record({ name, text: anyText, elements: fc.constant([]) }),
    fc.record({ name, text: fc.constant(''), elements: fc.array(tie('tree'), { maxLength: 5 }) }),
  ),
}));

const written = ({ name: its, text, elements }: Tree): Xml =>
  elements.length === 0 ? xmlText(its, text) : xmlElement(its, ...elements.map(written));

const plain = ({ name: its, text, elements }: XmlElement): Tree => ({
  name: its,
  text,
  elements: elements.map(plain),
});

function outcome(bytes: Uint8Array): XmlElement | undefined {
  try {
    return readXml(bytes);
  } catch (error) {
    assert.ok(error instanceof XmlError, String(error));
    return undefined;
  }
}

test('any text is read back as it was written, in an element and in an attribute', () => {
  fc.assert(
    fc.property(anyText, anyText, (text, value) => {
      const root = xmlElementWith('Root', { type: value }, xmlText('Key', text));
      const element = readXml(Buffer.from(xmlDocument(root)));
      assert.equal(element.childText('Key'), asRead(text));
      assert.equal(element.attribute('type'), asRead(value));
    }),
    PROPERTY,
  );
});

test('any tree is read back as it was written', () => {
  const wellFormed = (one: Tree): Tree => ({
    ...one,
    text: asRead(one.text),
    elements: one.elements.map(wellFormed),
  });
  fc.assert(
    fc.property(tree, (made) => {
      const element = readXml(Buffer.from(xmlDocument(written(made))));
      assert.deepEqual(plain(element), wellFormed(made));
    }),
    PROPERTY,
  );
});

test('any bytes are read or refused with an XmlError', () => {
  const markup = fc
    .array(
      fc.constantFrom(
        ...[
          '<a>',
          '</a>',
          '<a',
          '/>',
          '>',
          '<',
          '&',
          ';',
          '#',
          'x',
          '1',
          '&#1;',
          '&amp;',
          '"',
          "'",
        ],
        ...[
          '<!--',
          '-->',
          '--',
          '<![CDATA[',
          ']]>',
          '<!DOCTYPE',
          '[',
          ']',
          '<!ENTITY',
          '<?xml',
          '?>',
        ],
        ...[' version="1.0"', ' encoding="utf-8"', ' a="1"', ' xmlns:b="c"', 'b:', ':', '=', ' '],
        ...['\ufeff', '\0', '\r', '&control-', '__proto__', 'é', '🐈'],
      ),
      { maxLength: 30 },
    )
    .map((pieces) => Buffer.from(pieces.join('')));
  fc.assert(
    fc.property(fc.oneof(markup, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      outcome(bytes);
    }),
    { numRuns: PROPERTY.numRuns * 5 },
  );
});

test('a document with bytes changed is another document or an XmlError', () => {
  const document = Buffer.from(
    '<?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      '<Quiet>true</Quiet><Object><Key> a&#13;&#x1;é </Key><VersionId>null</VersionId></Object>' +
      '<!-- c --><Object><Key><![CDATA[<&>]]></Key></Object></Delete>',
  );
  const change = fc.tuple(fc.nat(document.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
      const changed = Buffer.from(document);
      for (const [at, byte] of changes) changed[at] = byte;
      outcome(changed);
    }),
    PROPERTY,
  );
});

/** Documents that make a careless reader take a time that grows with the square of their size. */
const COSTLY: Readonly<Record<string, (repeat: (text: string) => string) => string>> = {
  'deep nesting': (repeat) => repeat('<a>'),
  'a start without an end': (repeat) => repeat('<a '),
  'attributes of one element': (repeat) => `<a ${repeat('a="" ')}/>`,
  'one long attribute': (repeat) => `<a a="${repeat('&amp; ')}"/>`,
  'one long name': (repeat) => `<${repeat('a')}/>`,
  'many elements': (repeat) => `<a>${repeat('<b/>')}</a>`,
  'many entities': (repeat) => `<a>${repeat('&amp;')}</a>`,
  'many characters by reference': (repeat) => `<a>${repeat('&#13;')}</a>`,
  'many control characters by reference': (repeat) => `<a>${repeat('&#x1;')}</a>`,
  'references without an end': (repeat) => `<a>${repeat('&#1')}</a>`,
  'a reference of many digits': (repeat) => `<a>&#${repeat('1')};</a>`,
  'an entity with a long name': (repeat) => `<a>&${repeat('a')};</a>`,
  'names of our own without an end': (repeat) => `<a>${repeat('&control-')}</a>`,
  'a long comment': (repeat) => `<a>&amp;<!-- ${repeat('x')} --></a>`,
  'many comments': (repeat) => `<a>&amp;${repeat('<!---->')}</a>`,
  'comments without an end': (repeat) => `<a>&amp;${repeat('<!--')}</a>`,
  'CDATA sections': (repeat) => `<a>&amp;${repeat('<![CDATA[]]>')}</a>`,
  'CDATA sections without an end': (repeat) => `<a>&amp;${repeat('<![CDATA[')}</a>`,
  'brackets in a CDATA section': (repeat) => `<a>&amp;<![CDATA[${repeat(']')}]]></a>`,
  'carriage returns': (repeat) => `<a>${repeat('\r')}</a>`,
  'text in many pieces': (repeat) => `<a>${repeat('x<b/>')}</a>`,
  'a document type': (repeat) => `<!DOCTYPE a [${repeat('<!ENTITY a "b">')}]><a/>`,
  'an instruction': (repeat) => `<a><?x ${repeat('?')}?></a>`,
  'blanks before the root': (repeat) => `${repeat(' ')}<a/>`,
};

for (const [what, make] of Object.entries(COSTLY)) {
  // The time-out finds what would hang: each takes half a second at most.
  test(`2 MiB of ${what} are read or refused at once`, { timeout: 120_000 }, () => {
    const document = make((text) => text.repeat(Math.floor(BYTES / text.length)));
    outcome(Buffer.from(document));
  });
}
