/**
 * Proves that ranges are slices: of values, of the pieces of an object, and of answers over HTTP.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isServiceError } from '../../src/core/errors.ts';
import type { BlobId, BlobLocation } from '../../src/core/ids.ts';
import { parseEtagCondition } from '../../src/core/objects/commit/condition.ts';
import { type ResolvedRange, resolveRange } from '../../src/core/objects/read/range.ts';
import { piecesOf } from '../../src/core/objects/read/read-object.ts';
import { openAccount, startServer } from '../wire/service.ts';
import { runsOf } from '../world/effort.ts';

const PROPERTY = { numRuns: runsOf({ short: 1000, long: 100_000 }) };

const bound = fc.oneof(
  fc.nat(40),
  fc.nat(),
  fc.constantFrom('', '00', '-1', '9'.repeat(18), '9'.repeat(19)),
);
const rangeText = fc.oneof(
  fc.tuple(bound, bound).map(([first, last]) => `bytes=${first}-${last}`),
  fc.string({ unit: fc.constantFrom(...'bytes=0123456789-, '), maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
);

/** What a plain reading of RFC 9110 gives: a slice, the whole, or nothing. */
function sliceBy(text: string, bytes: Buffer): Buffer | 'whole' | 'unsatisfiable' {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(text.trim()) ?? [];
  if (first === '' && last === '') return 'whole';
  if (first === '') {
    const length = Number(last);
    if (length === 0) return 'unsatisfiable';
    return bytes.length === 0 ? 'whole' : bytes.subarray(-length);
  }
  if (last !== '' && Number(last) < Number(first)) return 'whole';
  if (Number(first) >= bytes.length) return 'unsatisfiable';
  return bytes.subarray(Number(first), last === '' ? bytes.length : Number(last) + 1);
}

function resolved(text: string, size: number): ResolvedRange | undefined {
  try {
    return resolveRange(text, size);
  } catch (error) {
    assert(isServiceError(error, 'range_not_satisfiable'), String(error));
    return undefined;
  }
}

test('the bytes of a range are the slice that its text names, for any text', () => {
  fc.assert(
    fc.property(rangeText, fc.uint8Array({ maxLength: 50 }), (text, content) => {
      const bytes = Buffer.from(content);
      const expected = sliceBy(text, bytes);
      const range = resolved(text, bytes.length);
      if (expected === 'unsatisfiable') return assert.equal(range, undefined);
      assert(range !== undefined);
      const { span, isPartial } = range;
      assert(span.start >= 0 && span.start <= span.end && span.end <= bytes.length);
      assert.equal(isPartial, expected !== 'whole');
      const part = bytes.subarray(span.start, span.end);
      assert(part.equals(expected === 'whole' ? bytes : expected));
    }),
    PROPERTY,
  );
});

test('the pieces of an object of many parts are together the slice of the whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 10 }), { maxLength: 6 }),
      fc.nat(60),
      fc.nat(60),
      (contents, one, other) => {
        const whole = Buffer.concat(contents);
        const start = Math.min(one, other, whole.length);
        const end = Math.min(Math.max(one, other), whole.length);
        const parts = contents.map(({ length: sizeBytes }, index) => ({
          blob: { blobId: index as BlobId, sizeBytes, location: '' as BlobLocation },
          sizeBytes,
        }));
        const pieces = piecesOf(parts, { start, end });
        assert(pieces.every(({ span }) => span.start < span.end));
        const read = pieces.map(({ part, span }) =>
          Buffer.from(contents[part.blob.blobId] ?? []).subarray(span.start, span.end),
        );
        assert(Buffer.concat(read).equals(whole.subarray(start, end)));
      },
    ),
    PROPERTY,
  );
});

test('ETag conditions are parsed from any text, and every listed ETag is found again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const condition = parseEtagCondition(text);
      assert(condition === undefined || condition === '*' || Array.isArray(condition));
    }),
    PROPERTY,
  );
  const etag = fc.string({ unit: fc.constantFrom(...'0123456789abcdef-'), minLength: 1 });
  const written = fc.tuple(etag, fc.constantFrom('W/"', '"', ''));
  fc.assert(
    fc.property(fc.array(written, { minLength: 1 }), (list) => {
      const text = list.map(([tag, mark]) => (mark === '' ? tag : `${mark}${tag}"`)).join(' , ');
      assert.deepEqual(
        parseEtagCondition(text),
        list.map(([tag]) => tag),
      );
    }),
    PROPERTY,
  );
});

test('a range over HTTP is the slice, across blocks and for any numbers', async () => {
  const server = await startServer();
  const ann = await openAccount(server, 'ann');
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
  await ann.upload('ramp', bytes);
  await fc.assert(
    fc.asyncProperty(fc.nat(210_000), fc.nat(210_000), async (first, last) => {
      const range = `bytes=${first}-${last}`;
      const answer = await ann.call('GET /download-stream?file_name=ramp', undefined, { range });
      const expected = sliceBy(range, bytes);
      if (expected === 'unsatisfiable') return assert.equal(answer.status, 416);
      const isWhole = expected === 'whole';
      assert.equal(answer.status, isWhole ? 200 : 206);
      assert(answer.bytes.equals(isWhole ? bytes : expected));
    }),
    { numRuns: runsOf({ short: 100, long: 2000 }) },
  );
});
