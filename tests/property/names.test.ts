/**
 * Proves that names, cursors and queries come back as they went in, and parsers refuse in our
 * words.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isServiceError } from '../../src/core/errors.ts';
import { parseNewName, parseStoredName } from '../../src/core/files/file-name.ts';
import { formatCursor, parseCursor } from '../../src/core/files/list-files.ts';
import { parseObjectKey } from '../../src/core/ids.ts';
import type { ListPosition } from '../../src/core/ports/metadata/objects.ts';
import { parseTime } from '../../src/dialects/files/wire.ts';
import { assertWellFormedQuery, parseQuery } from '../../src/server/schema/raw-query.ts';
import { runsOf } from '../world/effort.ts';

const PROPERTY = { numRuns: runsOf({ short: 1000, long: 100_000 }) };

/** Text of any code units, lone surrogates and NUL among them. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
  fc.string({ unit: fc.constantFrom('/', '.', 'a', '\0', '\ud83d', '\udc08', '%', '+') }),
);

/** Names that the native API may make. */
const goodName = fc
  .array(
    fc
      .string({ unit: 'binary', minLength: 1, maxLength: 20 })
      .map((text) => text.replace(/[/\0]|^\.{1,2}$/g, '_')),
    { minLength: 1, maxLength: 5 },
  )
  .map((segments) => segments.join('/'));

function outcome<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    assert(isServiceError(error), String(error));
    return undefined;
  }
}

test('a good name stays what it is, also when it is taken as a stored one', () => {
  fc.assert(
    fc.property(goodName, (name) => {
      assert.equal(parseNewName(name), name);
      assert.equal(parseStoredName(name), name);
    }),
    PROPERTY,
  );
});

test('what is taken as a name is one, whatever was sent', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const stored = outcome(() => parseStoredName(text));
      const isKey =
        text.isWellFormed() &&
        !text.includes('\0') &&
        text !== '' &&
        Buffer.byteLength(text) <= 1024;
      assert.equal(stored !== undefined, isKey);
      assert.equal(outcome(() => parseObjectKey(text)) !== undefined, isKey);
      const hasBadSegment = text.split('/').some((part) => ['', '.', '..'].includes(part));
      assert.equal(outcome(() => parseNewName(text)) !== undefined, isKey && !hasBadSegment);
    }),
    PROPERTY,
  );
});

test('1024 bytes of UTF-8 are a name and 1025 are none, whatever the characters', () => {
  fc.assert(
    fc.property(fc.constantFrom('a', 'é', '€', '🐈'), fc.nat(3), (unit, rest) => {
      const bytes = Buffer.byteLength(unit);
      const name = unit.repeat(Math.floor(1024 / bytes)) + 'a'.repeat(1024 % bytes);
      assert.equal(parseNewName(name), name);
      assert.equal(
        outcome(() => parseNewName(`${name}${'a'.repeat(rest + 1)}`)),
        undefined,
      );
    }),
    PROPERTY,
  );
});

test('a cursor comes back as the position that made it', () => {
  const text = fc.string({ unit: 'binary', minLength: 1 });
  const position: fc.Arbitrary<ListPosition> = fc.oneof(
    text.map((key) => ({ kind: 'afterKey', key }) as ListPosition),
    text.map((prefix) => ({ kind: 'afterPrefix', prefix }) as ListPosition),
  );
  fc.assert(
    fc.property(position, (made) => {
      const cursor = formatCursor(made);
      assert.match(cursor, /^[\w-]+$/);
      assert.deepEqual(parseCursor(cursor), made);
    }),
    PROPERTY,
  );
});

test('only text that a listing could have made is taken as a cursor', () => {
  fc.assert(
    fc.property(fc.oneof(anyText, fc.base64String(), fc.string().map(toBase64Url)), (text) => {
      const position = outcome(() => parseCursor(text));
      if (position !== undefined) assert.equal(formatCursor(position), text);
    }),
    PROPERTY,
  );
});

test('a query comes back as the fields that were escaped into it', () => {
  const field = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(fc.dictionary(field, field), fc.boolean(), (fields, isForm) => {
      const text = Object.entries(fields)
        .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
        .join('&');
      const query = parseQuery(isForm ? text.replaceAll('%20', '+') : text);
      assertWellFormedQuery(query);
      assert.deepEqual({ ...query }, { ...fields });
    }),
    PROPERTY,
  );
});

test('a query of any text is parsed or refused, and a field given twice is never guessed', () => {
  fc.assert(
    fc.property(anyText, anyText, (first, second) => {
      outcome(() => assertWellFormedQuery(parseQuery(`${first}&${second}`)));
      const name = encodeURIComponent(first.toWellFormed());
      const twice = parseQuery(`${name}=1&${name}=1`);
      if (name !== '')
        assert.equal(
          outcome(() => assertWellFormedQuery(twice) ?? 'taken'),
          undefined,
        );
    }),
    PROPERTY,
  );
});

test('a time comes back as the instant it names, and any other text is refused', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
      (date) => assert.equal(parseTime(date.toISOString(), 'at'), date.getTime()),
    ),
    PROPERTY,
  );
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789-:TZ.+ '), maxLength: 30 });
  fc.assert(
    fc.property(fc.oneof(anyText, digits), (text) => {
      const at = outcome(() => parseTime(text, 'at'));
      if (at !== undefined) assert(Number.isSafeInteger(at));
    }),
    PROPERTY,
  );
});

function toBase64Url(text: string): string {
  return Buffer.from(`1k${text}`).toString('base64url');
}
