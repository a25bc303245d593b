/**
 * Proves that a form is read the same however the stream is cut, that what was written is what is
 * read, and that no bytes make the decoder fail otherwise than by its own error.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormDecoder } from '../../src/kit/forms/form-decoder.ts';
import { FormError } from '../../src/kit/forms/form-error.ts';
import { runsOf } from '../world/effort.ts';

const PROPERTY = { numRuns: runsOf({ short: 1000, long: 50_000 }) };
const BOUNDARY = 'ab';

type Outcome = {
  readonly parts: readonly string[];
  /** `whole`, or the kind of the error. */
  readonly end: string;
};

function decode(form: Uint8Array, cuts: readonly number[]): Outcome {
  const decoder = new FormDecoder(BOUNDARY);
  const parts: string[] = [];
  let bytes = '';
  try {
    for (const [at, start] of [0, ...cuts].entries()) {
      for (const event of decoder.push(form.subarray(start, cuts[at] ?? form.length))) {
        if (event.kind === 'part') bytes = `${event.head.name}/${event.head.fileName ?? ''}:`;
        else if (event.kind === 'partEnd') parts.push(bytes);
        else {
          assert(event.bytes.length > 0);
          bytes += Buffer.from(event.bytes).toString('hex');
        }
      }
    }
    decoder.finish();
    return { parts, end: 'whole' };
  } catch (error) {
    assert(error instanceof FormError, String(error));
    return { parts: [...parts, bytes], end: error.kind };
  }
}

const everyByte = (bytes: Uint8Array) => Array.from(bytes.keys()).slice(1);

/** Bytes that look much like delimiters. */
const lookalike = fc
  .array(fc.constantFrom('\r', '\n', '-', '--', 'a', 'ab', '\r\n', '\r\n--', '\r\n--a', 'x'), {
    maxLength: 12,
  })
  .map((pieces) => pieces.join(''));
const isBody = (text: string) =>
  !`\r\n${text}\r\n--a`.slice(1).includes('\r\n--ab') && !text.startsWith('--ab');
const part = fc.record({
  name: fc.string({ unit: fc.constantFrom('a', 'é', ' ', ';', "'"), minLength: 1, maxLength: 6 }),
  fileName: fc.option(fc.string({ unit: fc.constantFrom('b', 'ü', '.', '/'), maxLength: 6 }), {
    nil: undefined,
  }),
  value: lookalike.filter(isBody),
});

function encode(parts: readonly { name: string; fileName: string | undefined; value: string }[]) {
  const texts = parts.map(({ name, fileName, value }) => {
    const file = fileName === undefined ? '' : `; filename="${fileName}"`;
    const head = `Content-Disposition: form-data; name="${name}"${file}`;
    return `--${BOUNDARY}\r\n${head}\r\n\r\n${value}\r\n`;
  });
  return Buffer.from(`${texts.join('')}--${BOUNDARY}--\r\n`);
}

const cutsOf = (length: number) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: length }), { maxLength: 8 })
    .map((cuts) => cuts.sort((a, b) => a - b));

test('what was written is read, under any cuts and byte by byte', () => {
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 4 }).chain((parts) => {
        const form = encode(parts);
        return fc.record({
          parts: fc.constant(parts),
          form: fc.constant(form),
          cuts: cutsOf(form.length),
        });
      }),
      ({ parts, form, cuts }) => {
        const written = parts.map(
          ({ name, fileName, value }) =>
            `${name}/${fileName ?? ''}:${Buffer.from(value).toString('hex')}`,
        );
        for (const tried of [[], cuts, everyByte(form)]) {
          assert.deepEqual(decode(form, tried), { parts: written, end: 'whole' });
        }
      },
    ),
    PROPERTY,
  );
});

test('a small form is read the same under every pair of cuts', () => {
  const form = encode([
    { name: 'a', fileName: undefined, value: '\r\n--a' },
    { name: 'b', fileName: 'c', value: '\r\r\n' },
  ]);
  const whole = decode(form, []);
  assert.equal(whole.end, 'whole');
  for (let first = 0; first <= form.length; first++) {
    for (let second = first; second <= form.length; second++) {
      assert.deepEqual(decode(form, [first, second]), whole);
    }
  }
});

test('any bytes are read or refused, the same under any cuts', () => {
  const pieces = fc.constantFrom(
    ...['--ab', '\r\n', '\r\n--ab', '--', '-', '\r', '\n', 'x', '\xff', ': ', '; name="n"'],
    ...['Content-Disposition: form-data', 'Content-Disposition: form-data; name="n"\r\n\r\n'],
  );
  fc.assert(
    fc.property(
      fc.array(pieces, { maxLength: 24 }).chain((texts) => {
        const form = Buffer.from(texts.join(''), 'latin1');
        return fc.record({ form: fc.constant(form), cuts: cutsOf(form.length) });
      }),
      ({ form, cuts }) => {
        const whole = decode(form, []);
        assert.deepEqual(decode(form, cuts), whole);
        assert.deepEqual(decode(form, everyByte(form)), whole);
      },
    ),
    PROPERTY,
  );
});
