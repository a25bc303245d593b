/**
 * Proves that an aws-chunked body decodes to what was encoded however the stream is cut, that no
 * bytes make the decoder fail otherwise than by its own error, and that what passes a signed
 * decoder is what was signed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  AwsChunkedDecoder,
  type AwsChunkedOptions,
} from '../../src/kit/aws-chunked/aws-chunked-decoder.ts';
import { AwsChunkedError } from '../../src/kit/aws-chunked/aws-chunked-error.ts';
import { deriveSigningKey } from '../../src/kit/sigv4/signing-key.ts';
import { type AwsChunkedBody, encodeAwsChunked } from '../world/aws-chunked-body.ts';
import { runsOf } from '../world/effort.ts';

const PROPERTY = { numRuns: runsOf({ short: 1000, long: 50_000 }) };

const SIGNATURES = {
  signingKey: deriveSigningKey(
    { accessKeyId: 'PF1', date: '20260101', region: 'auto', service: 's3' },
    'secret',
  ),
  amzDate: '20260101T000000Z',
  scope: '20260101/auto/s3/aws4_request',
  seed: 'ab'.repeat(32),
};

const token = fc.string({ unit: fc.constantFrom(...'abcz09-_.'), minLength: 1, maxLength: 8 });
const value = fc.string({ unit: fc.constantFrom(...'AZaz09+/=: ;'), maxLength: 12 });
const body = fc.record({
  chunks: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 5 }),
  signatures: fc.constantFrom(undefined, SIGNATURES),
  trailers: fc.uniqueArray(
    fc.tuple(
      token,
      value.map((text) => text.trim()),
    ),
    { maxLength: 3, selector: ([name]) => name },
  ),
  writer: fc.constantFrom('sdk' as const, 'minio' as const),
});

type Outcome =
  | { readonly kind: 'decoded'; readonly hex: string; readonly trailers: readonly unknown[] }
  | { readonly kind: 'refused'; readonly error: string };

/** Pushes `encoded` cut at `cuts`, in order. */
function decode(
  encoded: Uint8Array,
  { cuts, ...options }: AwsChunkedOptions & { readonly cuts: readonly number[] },
): Outcome {
  const decoder = new AwsChunkedDecoder(options);
  const slices: Uint8Array[] = [];
  try {
    for (const [at, start] of [0, ...cuts].entries()) {
      const piece = encoded.subarray(start, cuts[at] ?? encoded.length);
      decoder.push(piece, (slice) => {
        assert(slice.length > 0);
        slices.push(slice);
      });
    }
    const { trailers } = decoder.finish();
    const bytes = Buffer.concat(slices);
    assert.equal(bytes.length, options.decodedBytes);
    return { kind: 'decoded', hex: bytes.toString('hex'), trailers: [...trailers] };
  } catch (error) {
    assert(error instanceof AwsChunkedError, String(error));
    assert(Buffer.concat(slices).length <= options.decodedBytes);
    return { kind: 'refused', error: error.kind };
  }
}

function optionsFor({ chunks, signatures }: AwsChunkedBody): AwsChunkedOptions {
  return { decodedBytes: Buffer.concat(chunks).length, signatures, expectsTrailers: true };
}

function wholeOf({ chunks, trailers = [] }: AwsChunkedBody): Outcome {
  return { kind: 'decoded', hex: Buffer.concat(chunks).toString('hex'), trailers };
}

const everyByte = (bytes: Uint8Array) => Array.from(bytes.keys()).slice(1);

test('a small body decodes under every pair of cuts, and byte by byte', () => {
  for (const signatures of [undefined, SIGNATURES]) {
    for (const writer of ['sdk', 'minio'] as const) {
      const plain = {
        chunks: [Buffer.from('\r\n0\r\n'), Buffer.from('b')],
        ...{ signatures, writer, trailers: [['a', '1'] as const] },
      };
      const encoded = encodeAwsChunked(plain);
      for (let first = 0; first <= encoded.length; first++) {
        for (let second = first; second <= encoded.length; second++) {
          const outcome = decode(encoded, { ...optionsFor(plain), cuts: [first, second] });
          if (outcome.kind === 'decoded') continue;
          assert.fail(`${outcome.error} when cut at ${first} and ${second}`);
        }
      }
      const outcome = decode(encoded, { ...optionsFor(plain), cuts: everyByte(encoded) });
      assert.deepEqual(outcome, wholeOf(plain));
    }
  }
});

test('any body decodes to what was encoded, however it is cut', () => {
  fc.assert(
    fc.property(body, fc.array(fc.nat()), (plain, marks) => {
      const encoded = encodeAwsChunked(plain);
      const cuts = marks.map((mark) => mark % (encoded.length + 1)).sort((a, b) => a - b);
      assert.deepEqual(decode(encoded, { ...optionsFor(plain), cuts }), wholeOf(plain));
    }),
    PROPERTY,
  );
});

const line = fc.oneof(
  fc.constantFrom('0', '1', '5', 'a', '0000', 'x-a:1', 'x-a:2', 'hello', '', 'ffffffffffffff'),
  fc.constantFrom(`1;chunk-signature=${'0'.repeat(64)}`, 'x-amz-trailer-signature:00'),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.nat(400).map((length) => 'x'.repeat(length)),
);
const lines = fc
  .array(fc.tuple(line, fc.constantFrom('\r\n', '\r\n', '\n', '\r', '')), { maxLength: 12 })
  .map((parts) => Buffer.from(parts.flat().join(''), 'latin1'));

test('any bytes are decoded or refused, and alike whether whole or byte by byte', () => {
  fc.assert(
    fc.property(
      fc.oneof(lines, lines, fc.uint8Array({ maxLength: 300 })),
      fc.constantFrom(undefined, SIGNATURES),
      fc.boolean(),
      fc.constantFrom(0, 1, 5, 6, 10, 2 ** 40),
      (bytes, signatures, expectsTrailers, decodedBytes) => {
        const options = { signatures, expectsTrailers, decodedBytes };
        assert.deepEqual(
          decode(bytes, { ...options, cuts: everyByte(bytes) }),
          decode(bytes, { ...options, cuts: [] }),
        );
      },
    ),
    PROPERTY,
  );
});

const damage = fc.record({
  at: fc.nat(),
  removed: fc.constantFrom(0, 1, 1, 5),
  added: fc.uint8Array({ maxLength: 2 }),
});

function damaged(
  encoded: Buffer,
  { at, removed, added }: typeof damage extends fc.Arbitrary<infer D> ? D : never,
) {
  const start = at % encoded.length;
  return Buffer.concat([encoded.subarray(0, start), added, encoded.subarray(start + removed)]);
}

test('a damaged signed body is refused, or decodes to what was signed', () => {
  fc.assert(
    fc.property(body, damage, (plain, spot) => {
      const signed = { ...plain, signatures: SIGNATURES };
      const bytes = damaged(encodeAwsChunked(signed), spot);
      const outcome = decode(bytes, { ...optionsFor(signed), cuts: [] });
      if (outcome.kind === 'refused') return;
      const whole = wholeOf(signed);
      assert(whole.kind === 'decoded');
      assert.equal(outcome.hex, whole.hex);
      // Cut off, trailers are missed by whoever announced them; but none is ever changed.
      if (outcome.trailers.length > 0) assert.deepEqual(outcome.trailers, whole.trailers);
    }),
    PROPERTY,
  );
});

test('a damaged unsigned body is refused, or has the declared length', () => {
  fc.assert(
    fc.property(body, damage, (plain, spot) => {
      const unsigned = { ...plain, signatures: undefined };
      const bytes = damaged(encodeAwsChunked(unsigned), spot);
      // `decode` checks the length of what it has decoded.
      decode(bytes, { ...optionsFor(unsigned), cuts: [] });
    }),
    PROPERTY,
  );
});
