/**
 * Proves that aws-chunked bodies are decoded as the S3 API reference and minio-go write them, and
 * that each kind of damage is refused by its own error, for good.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAwsChunked } from '../../../tests/world/aws-chunked-body.ts';
import { deriveSigningKey } from '../sigv4/signing-key.ts';
import { AwsChunkedDecoder, type AwsChunkedOptions } from './aws-chunked-decoder.ts';
import { AwsChunkedError, type AwsChunkedErrorKind } from './aws-chunked-error.ts';

const SCOPE = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  date: '20130524',
  region: 'us-east-1',
  service: 's3',
};
const SIGNATURES = {
  signingKey: deriveSigningKey(SCOPE, 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
  amzDate: '20130524T000000Z',
  scope: '20130524/us-east-1/s3/aws4_request',
  seed: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
};
const TRAILER_SEED = '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e';
const HELLO = Buffer.from('hello');

type Decoded = { readonly bytes: Buffer; readonly trailers: ReadonlyMap<string, string> };

function decode(
  encoded: string | Uint8Array,
  options: Partial<AwsChunkedOptions> & { readonly decodedBytes: number },
): Decoded {
  const decoder = new AwsChunkedDecoder({
    signatures: undefined,
    expectsTrailers: true,
    ...options,
  });
  const slices: Uint8Array[] = [];
  decoder.push(Buffer.from(encoded), (slice) => slices.push(slice));
  const { trailers } = decoder.finish();
  return { bytes: Buffer.concat(slices), trailers };
}

function assertRefused(kind: AwsChunkedErrorKind, action: () => unknown): void {
  assert.throws(action, (error) => {
    assert(error instanceof AwsChunkedError, String(error));
    assert.equal(error.kind, kind);
    return true;
  });
}

const refused = (
  kind: AwsChunkedErrorKind,
  encoded: string | Uint8Array,
  options: Partial<AwsChunkedOptions> = {},
) => assertRefused(kind, () => decode(encoded, { decodedBytes: 5, ...options }));

test("the reference's examples of signed chunks, without and with trailers", () => {
  const a = (sizeBytes: number) => 'a'.repeat(sizeBytes);
  const plain =
    '10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n' +
    `${a(65_536)}\r\n` +
    '400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n' +
    `${a(1024)}\r\n` +
    '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n';
  assert.equal(plain.length, 66_824);
  const options = { decodedBytes: 66_560, signatures: SIGNATURES, expectsTrailers: false };
  assert.equal(decode(plain, options).bytes.toString(), a(66_560));

  const trailing =
    '10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n' +
    `${a(65_536)}\r\n` +
    '400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n' +
    `${a(1024)}\r\n` +
    '0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n' +
    'x-amz-checksum-crc32c:sOO8/Q==\r\n' +
    'x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435' +
    '\r\n\r\n';
  const signatures = { ...SIGNATURES, seed: TRAILER_SEED };
  const { bytes, trailers } = decode(trailing, { decodedBytes: 66_560, signatures });
  assert.equal(bytes.length, 66_560);
  assert.deepEqual([...trailers], [['x-amz-checksum-crc32c', 'sOO8/Q==']]);
});

test('unsigned bodies of all writers, with upper-case lengths and names, and empty ones', () => {
  const bodies = [
    '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
    '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\n\r\n\r\n',
    '0005\r\nhello\r\n00\r\nX-Amz-Checksum-CRC32: \t NhCmhg== \n\n',
    `2;chunk-signature=${'0'.repeat(64)}\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n`,
  ];
  for (const body of bodies) {
    const { bytes, trailers } = decode(body, { decodedBytes: 5 });
    assert.equal(bytes.toString(), 'hello');
    assert.deepEqual([...trailers], [['x-amz-checksum-crc32', 'NhCmhg==']]);
  }
  assert.equal(
    decode(`A\r\n${'x'.repeat(10)}\r\n0\r\n\r\n`, { decodedBytes: 10 }).bytes.length,
    10,
  );
  const empty = decode('0\r\n\r\n', { decodedBytes: 0, expectsTrailers: false });
  assert.deepEqual(
    { bytes: empty.bytes.length, trailers: empty.trailers.size },
    {
      bytes: 0,
      trailers: 0,
    },
  );
});

test('damaged framing is malformed', () => {
  const bodies = [
    'hello\r\n',
    '\r\n5\r\nhello\r\n0\r\n\r\n',
    '5\nhello\r\n0\r\n\r\n',
    '5\r\r\nhello\r\n0\r\n\r\n',
    '0x5\r\nhello\r\n0\r\n\r\n',
    '-5\r\nhello\r\n0\r\n\r\n',
    '+5\r\nhello\r\n0\r\n\r\n',
    ' 5\r\nhello\r\n0\r\n\r\n',
    '5 \r\nhello\r\n0\r\n\r\n',
    '5;\r\nhello\r\n0\r\n\r\n',
    '5;chunk-signature=\r\nhello\r\n0\r\n\r\n',
    `5;chunk-signature=${'0'.repeat(63)}\r\nhello\r\n0\r\n\r\n`,
    `5;chunk-signature=${'g'.repeat(64)}\r\nhello\r\n0\r\n\r\n`,
    `5;chunk-signature=${'0'.repeat(64)};x=y\r\nhello\r\n0\r\n\r\n`,
    `${'0'.repeat(13)}5\r\nhello\r\n0\r\n\r\n`,
    `5;${'x'.repeat(300)}`,
    '5\r\nhello0\r\n\r\n',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello\r0\r\n\r\n',
    '5\r\nhello!\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\r\n\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
    '5\r\nhello\r\n0\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    '5\r\nhello\r\n0\r\n\r\n\r\n\r\n\r\n',
  ];
  for (const body of bodies) refused('malformed', body);
});

test('a body that ends early is incomplete, wherever it is cut', () => {
  const body = encodeAwsChunked({
    chunks: [HELLO.subarray(0, 2), HELLO.subarray(2)],
    signatures: SIGNATURES,
    trailers: [['x-amz-checksum-crc32', 'NhCmhg==']],
  });
  for (let length = 0; length < body.length; length++) {
    refused('incomplete', body.subarray(0, length), { signatures: SIGNATURES });
  }
  assert.equal(decode(body, { decodedBytes: 5, signatures: SIGNATURES }).bytes.length, 5);
  refused('incomplete', '5\r\nhello\r\n0\r\n\r\n\r');
  refused('incomplete', '5\r\nhello\r\n0\r\n\r\nx');
});

test('more or fewer bytes than were declared are refused, before they are given out', () => {
  refused('too_long', '6\r\nhello!\r\n0\r\n\r\n');
  refused('too_long', '5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n');
  refused('too_long', 'fffffffffffff\r\n');
  refused('too_short', '4\r\nhell\r\n0\r\n\r\n');
  refused('too_short', '0\r\n\r\n');
  const decoder = new AwsChunkedDecoder({
    decodedBytes: 5,
    signatures: undefined,
    expectsTrailers: false,
  });
  assertRefused('too_long', () =>
    decoder.push(Buffer.from('6\r\nhello!'), () => assert.fail('bytes were given out')),
  );
});

test('trailers are bounded, have a form, and come where they were announced', () => {
  const trailing = (text: string) => `5\r\nhello\r\n0\r\n${text}\r\n\r\n`;
  refused('malformed_trailer', trailing('x-amz-checksum-crc32'));
  refused('malformed_trailer', trailing(': NhCmhg=='));
  refused('malformed_trailer', trailing('x amz:1'));
  refused('malformed_trailer', trailing('a:1\r\nA:1'));
  refused('malformed_trailer', trailing('a:1\r2'));
  refused('malformed_trailer', trailing(`a:${'1'.repeat(5000)}`));
  refused(
    'malformed_trailer',
    trailing(Array.from({ length: 17 }, (_, n) => `a${n}:1`).join('\n')),
  );
  const long = Array.from({ length: 8 }, (_, n) => `a${n}:${'1'.repeat(600)}`).join('\n');
  refused('malformed_trailer', trailing(long));
  refused('malformed_trailer', trailing('a:1'), { expectsTrailers: false });
  // Where nothing is signed, the name of the signature is a name like any other.
  const { trailers } = decode(trailing('x-amz-trailer-signature:1'), { decodedBytes: 5 });
  assert.deepEqual([...trailers], [['x-amz-trailer-signature', '1']]);
});

test('a wrong or missing signature of a chunk or of the trailers is refused', () => {
  const options = { decodedBytes: 5, signatures: SIGNATURES };
  const trailers = [['x-amz-checksum-crc32', 'NhCmhg==']] as const;
  for (const writer of ['sdk', 'minio'] as const) {
    const body = encodeAwsChunked({ chunks: [HELLO], signatures: SIGNATURES, trailers, writer });
    assert.deepEqual([...decode(body, options).trailers], trailers);
    const text = body.toString('latin1');
    refused('signature_mismatch', text.replace('hello', 'jello'), options);
    refused('signature_mismatch', text.replace('NhCmhg', 'NhCmhh'), options);
    refused('signature_mismatch', text.replace('crc32:', 'crc33:'), options);
    refused('signature_mismatch', text.replace(/;chunk-signature=.{64}/, ''), options);
    refused('signature_mismatch', text.replace(/(0;.*?=)..../, '$10000'), options);
    refused('signature_mismatch', text.replace(/x-amz-trailer-signature:.*\r\n/, ''), options);
    refused('signature_mismatch', text.replace(/(trailer-signature:)..../, '$10000'), options);
    refused('malformed', text.replace(/(trailer-signature:.*\r\n)/, '$1a:1\r\n'), options);
    refused('incomplete', text.slice(0, -2), options);
    // Without its trailers a signed body is whole: whoever waits for one misses it.
    const bare = text.replace(/(0;.{80}\r\n).*/s, '$1\r\n');
    assert.equal(decode(bare, options).trailers.size, 0);
  }
});

test('chunks cannot change places, nor come from another request', () => {
  const chunks = [Buffer.from('aaa'), Buffer.from('bbb')];
  const body = encodeAwsChunked({ chunks, signatures: SIGNATURES }).toString();
  const [first = '', second = '', rest = ''] = body.split(/(?<=aaa\r\n|bbb\r\n)/);
  const options = { decodedBytes: 6, signatures: SIGNATURES };
  assert.equal(decode(first + second + rest, options).bytes.toString(), 'aaabbb');
  refused('signature_mismatch', second + first + rest, options);
  refused('signature_mismatch', body, {
    ...options,
    signatures: { ...SIGNATURES, seed: TRAILER_SEED },
  });
});

test('after an error every call throws the same error', () => {
  for (const body of ['zz\r\n', '1\r\nx\r\n0\r\nno trailer\r\n', '1\r\nxy', '2\r\n']) {
    const decoder = new AwsChunkedDecoder({
      ...{ decodedBytes: 1, signatures: undefined, expectsTrailers: true },
    });
    const push = () => decoder.push(Buffer.from(body), () => {});
    const [first, ...others] = [push, push, () => decoder.finish()].map(errorOf);
    assert(first instanceof AwsChunkedError);
    for (const other of others) assert.equal(other, first);
  }
});

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('bytes are views of what was pushed, and a whole signed chunk is checked before it', () => {
  const body = encodeAwsChunked({ chunks: [HELLO], signatures: SIGNATURES });
  const decoder = new AwsChunkedDecoder({
    decodedBytes: 5,
    signatures: SIGNATURES,
    expectsTrailers: false,
  });
  const slices: Uint8Array[] = [];
  decoder.push(body, (slice) => slices.push(slice));
  assert.deepEqual(
    slices.map(({ buffer, length }) => [buffer === body.buffer, length]),
    [[true, 5]],
  );
  const other = new AwsChunkedDecoder({
    decodedBytes: 5,
    signatures: { ...SIGNATURES, seed: TRAILER_SEED },
    expectsTrailers: false,
  });
  assertRefused('signature_mismatch', () => other.push(body, () => assert.fail('given out')));
});

test('a hundred thousand chunks of a byte, cut wherever a socket cuts them', () => {
  const body = Buffer.from(`${'1\r\nx\r\n'.repeat(100_000)}0\r\n\r\n`);
  const decoder = new AwsChunkedDecoder({
    decodedBytes: 100_000,
    signatures: undefined,
    expectsTrailers: false,
  });
  let count = 0;
  for (let at = 0; at < body.length; at += 65_536) {
    decoder.push(body.subarray(at, at + 65_536), (slice) => {
      count += slice.length;
    });
  }
  decoder.finish();
  assert.equal(count, 100_000);
});
