/**
 * Proves the contract's section "aws-chunked bodies": what is taken out of its frame and kept, and
 * that each kind of a damaged frame is refused by its code and stores nothing.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type AwsChunkedBody, encodeAwsChunked } from '../../world/aws-chunked-body.ts';
import { openSocket, parseAnswer, readToEnd } from '../http-client.ts';
import { eventually } from '../service.ts';
import { assertS3Error, startS3 } from './start-s3.ts';
import {
  assertFacts,
  deliver,
  type Header,
  headOf,
  keysOf,
  type Message,
  signed,
  withBody,
  withHeaders,
} from './wire-request.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');
const { bucket } = ann;
const send = (message: Message) => deliver(s3.endpoint, message);

const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const SIGNED_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const CRC32 = 'x-amz-checksum-crc32';
/** Of `hello world`. */
const TRAILER = [CRC32, 'DUoRhQ=='] as const;
const CHUNKS = [Buffer.from('hello '), Buffer.from('world')];
const TEXT = 'hello world';

type Framed = {
  readonly key?: string;
  readonly form: string;
  readonly headers?: readonly Header[];
  readonly decoded?: number;
  readonly chunks?: readonly Uint8Array[];
  readonly trailers?: AwsChunkedBody['trailers'];
  readonly writer?: 'sdk' | 'minio';
};

/** A put of chunks; with a trailer, if the form has one, that `x-amz-trailer` announces. */
function framed(wanted: Framed): Message {
  const { key = 'refused', form, chunks = CHUNKS, writer = 'sdk' } = wanted;
  const hasTrailer = form.endsWith('TRAILER');
  const trailers = wanted.trailers ?? (hasTrailer ? [TRAILER] : []);
  const decoded = wanted.decoded ?? Buffer.concat([...chunks]).length;
  const message = signed(ann, {
    route: `PUT /${bucket}/${key}`,
    payloadHash: form,
    headers: [
      ['x-amz-decoded-content-length', `${decoded}`],
      ...(wanted.headers ?? (hasTrailer ? [['x-amz-trailer', CRC32] as const] : [])),
    ],
  });
  const signatures = form === UNSIGNED_TRAILER ? undefined : message.chain;
  return withBody(message, encodeAwsChunked({ chunks, signatures, trailers, writer }));
}

/** An unsigned put whose body is written by the test. */
const raw = (body: string, more: Partial<Framed> = {}) =>
  withBody(framed({ form: UNSIGNED_TRAILER, ...more }), Buffer.from(body, 'latin1'));

const replaced = (message: Message, from: RegExp | string, to: string) => {
  const before = Buffer.from(message.body).toString('latin1');
  const after = before.replace(from, to);
  assert.notEqual(after, before);
  return withBody(message, Buffer.from(after, 'latin1'));
};

async function keep(message: Message, key: string, text = TEXT) {
  const answer = await send(message);
  assert.equal(answer.status, 200, answer.text);
  const got = await ann.raw.expectDone({ method: 'GET', bucket, key });
  assert.equal(got.text, text);
  assert.equal(answer.headers.etag, `"${createHash('md5').update(text).digest('hex')}"`);
  return { put: answer, got };
}

async function refuse(message: Message, status: number, code: string, words?: string | RegExp) {
  const answer = await send(message);
  assertFacts(answer, status, code, words === undefined ? {} : { Message: words });
  assert(!(await keysOf(ann)).includes('refused'), 'it was stored');
}

test('each form is kept without its frame, as SDKs and as minio-go write it', async () => {
  for (const form of [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]) {
    for (const writer of ['sdk', 'minio'] as const) {
      const { put, got } = await keep(framed({ key: 'k', form, writer }), 'k');
      assert.equal(put.headers[CRC32], form === SIGNED ? undefined : TRAILER[1]);
      assert.equal(got.headers['content-encoding'], undefined);
    }
  }
});

test('a body without bytes is its last chunk alone', async () => {
  const empty = { key: 'empty', chunks: [], trailers: [[CRC32, 'AAAAAA==']] as const };
  for (const form of [SIGNED_TRAILER, UNSIGNED_TRAILER]) {
    await keep(framed({ ...empty, form }), 'empty', '');
  }
  await keep(framed({ ...empty, form: SIGNED, trailers: [] }), 'empty', '');
});

test('chunks are of any size: of a byte, of more than a segment, and of both', async () => {
  const sizes = [[1, 1, 1], [8191, 8193, 1], [65_536, 65_536, 7], [300_000], [1, 200_000, 2]];
  for (const [at, lengths] of sizes.entries()) {
    const chunks = lengths.map((length) => Buffer.alloc(length, `${at}abcdefg`));
    const text = Buffer.concat(chunks).toString();
    for (const form of [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]) {
      const message = framed({ key: 'sizes', form, chunks, headers: [], trailers: [] });
      await keep(message, 'sizes', text);
    }
  }
});

test('aws-chunked is no encoding of the object, others are', async () => {
  const encodings: readonly (readonly [sent: string, kept: string | undefined])[] = [
    ['aws-chunked', undefined],
    ['gzip,aws-chunked', 'gzip'],
    ['gzip, aws-chunked', 'gzip'],
    ['aws-chunked,gzip', 'gzip'],
    ['AWS-Chunked', undefined],
    ['aws-chunked, br, gzip', 'br, gzip'],
    ['gzip', 'gzip'],
  ];
  for (const [sent, kept] of encodings) {
    const headers = [['content-encoding', sent]] as const;
    const message = framed({ key: 'coded', form: SIGNED, headers });
    const { got } = await keep(message, 'coded');
    assert.equal(got.headers['content-encoding'], kept, sent);
  }
});

const mutated = (text: string, at: number) =>
  text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);

/** Changes each byte of the body from `start` on, one at a time, until `end`. */
async function refuseMutants(message: Message, start: number, end: number): Promise<void> {
  const text = Buffer.from(message.body).toString('latin1');
  for (let at = start; at < end; at += 1) {
    const answer = await send(withBody(message, Buffer.from(mutated(text, at), 'latin1')));
    const code = /<Code>(\w+)</.exec(answer.text)?.[1] ?? '';
    assert.equal(answer.status, STATUSES[code], `${at} of ${text}: ${answer.text}`);
  }
  assert(!(await keysOf(ann)).includes('refused'));
}

const STATUSES: Readonly<Record<string, number>> = {
  SignatureDoesNotMatch: 403,
  IncompleteBody: 400,
  MalformedTrailerError: 400,
};

test('a byte of the chunks, of their lengths or their signatures is refused', async () => {
  const message = framed({ form: SIGNED });
  await refuseMutants(message, 0, message.body.length);
  await refuse(replaced(message, 'world', 'w0rld'), 403, 'SignatureDoesNotMatch');
  await refuse(replaced(message, /(?<=chunk-signature=)./, 'g'), 400, 'IncompleteBody');
  await refuse(replaced(message, /;chunk-signature=\w{64}/, ''), 403, 'SignatureDoesNotMatch');
});

test('a byte of a signed trailer, its name or its signature is refused', async () => {
  const message = framed({ form: SIGNED_TRAILER });
  const text = Buffer.from(message.body).toString('latin1');
  const start = text.indexOf(CRC32);
  const [line = ''] = text.slice(start).split('\r\n');
  await refuseMutants(message, start, start + line.length);
  const signature = /x-amz-trailer-signature:\w{64}/.exec(text);
  assert(signature !== null);
  await refuseMutants(message, signature.index, signature.index + signature[0].length);
  await refuse(replaced(message, TRAILER[1], 'DUoRhA=='), 403, 'SignatureDoesNotMatch');
  await refuse(replaced(message, `${signature[0]}\r\n`, ''), 403, 'SignatureDoesNotMatch');
});

test('chunks neither change places nor come from another request', async () => {
  const [one, other] = [framed({ form: SIGNED }), framed({ form: SIGNED, key: 'other' })];
  await refuse(withBody(one, other.body), 403, 'SignatureDoesNotMatch');
  const text = Buffer.from(one.body).toString('latin1');
  const [first = '', second = '', rest = ''] = text.split(/(?<=hello \r\n|world\r\n)/);
  await refuse(withBody(one, second + first + rest), 403, 'SignatureDoesNotMatch');
  await refuse(withBody(one, first + rest), 400, 'IncompleteBody');
  await refuse(withBody(one, first + first + rest), 400, 'IncompleteBody');
});

test('each damage of the frame is IncompleteBody', async () => {
  const bodies = [
    '',
    '\r\n',
    'hello world',
    'b\r\nhello world',
    'b\r\nhello world\r\n',
    'b\r\nhello world\r\n0',
    'b\r\nhello world\r\n0\r\n',
    'b\r\nhello wor',
    'g\r\nhello world\r\n0\r\n\r\n',
    '-b\r\nhello world\r\n0\r\n\r\n',
    '+b\r\nhello world\r\n0\r\n\r\n',
    '0xb\r\nhello world\r\n0\r\n\r\n',
    ' b\r\nhello world\r\n0\r\n\r\n',
    'b \r\nhello world\r\n0\r\n\r\n',
    'b;\r\nhello world\r\n0\r\n\r\n',
    'b;x=y\r\nhello world\r\n0\r\n\r\n',
    `b;chunk-signature=${'0'.repeat(63)}\r\nhello world\r\n0\r\n\r\n`,
    'b\nhello world\r\n0\r\n\r\n',
    'b\r\nhello world0\r\n\r\n',
    'b\r\nhello world\n0\r\n\r\n',
    'b\r\nhello world!\r\n0\r\n\r\n',
    'b\r\nhello world\r\n0\r\n\r\nb\r\nhello world\r\n0\r\n\r\n',
    `${'0'.repeat(20)}b\r\nhello world\r\n0\r\n\r\n`,
    'ffffffffffffffff\r\nhello world\r\n0\r\n\r\n',
    `b;${'x'.repeat(254)}`,
    `b;${'x'.repeat(300_000)}`,
  ];
  for (const body of bodies) await refuse(raw(body, { headers: [] }), 400, 'IncompleteBody');
  for (const form of [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]) {
    const message = framed({ form });
    const { body } = message;
    for (let length = 0; length < body.length; length += form === SIGNED ? 1 : 7) {
      await refuse(withBody(message, body.subarray(0, length)), 400, 'IncompleteBody');
    }
  }
});

test('the chunks hold the decoded length, no byte more and none less', async () => {
  for (const form of [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER]) {
    for (const decoded of [0, 10, 12, 5_000_000]) {
      await refuse(framed({ form, decoded }), 400, 'IncompleteBody');
    }
    const without = withHeaders(framed({ form }), { 'x-amz-decoded-content-length': undefined });
    // It is signed, so that it cannot be taken away unnoticed; who never sent it is told.
    await refuse(without, 403, 'SignatureDoesNotMatch');
    const never = signed(ann, { route: `PUT /${bucket}/refused`, payloadHash: form });
    await refuse(never, 411, 'MissingContentLength');
  }
});

test('the outer length counts the frame, and a body shorter than it is incomplete', async () => {
  for (const form of [SIGNED, UNSIGNED_TRAILER]) {
    const message = framed({ form });
    const socket = await openSocket(s3.endpoint);
    const reading = readToEnd(socket);
    socket.end(Buffer.concat([headOf(message), message.body.subarray(0, -1)]));
    assertS3Error(parseAnswer(await reading), 400, 'IncompleteBody');
  }
  assert(!(await keysOf(ann)).includes('refused'));
});

test('a trailer is the one that was announced', async () => {
  for (const form of [SIGNED_TRAILER, UNSIGNED_TRAILER]) {
    const malformed = (more: Partial<Framed>) =>
      refuse(framed({ form, ...more }), 400, 'MalformedTrailerError');
    await malformed({ trailers: [] });
    await malformed({ trailers: [['x-amz-checksum-crc32c', 'yZRlqg==']] });
    await malformed({ trailers: [['x-amz-meta-a', 'b']] });
    await malformed({ trailers: [TRAILER, ['x-amz-checksum-crc32c', 'yZRlqg==']] });
  }
  const line = (text: string) => raw(`b\r\nhello world\r\n0\r\n${text}\r\n\r\n`);
  for (const text of ['x-amz-checksum-crc32', ': DUoRhQ==', 'x amz:1', 'a:1\r\na:1']) {
    await refuse(line(text), 400, 'MalformedTrailerError');
  }
  await refuse(line(`${CRC32}:${'A'.repeat(10_000)}`), 400, 'MalformedTrailerError');
  const unexpected = framed({ form: SIGNED, trailers: [TRAILER] });
  await refuse(unexpected, 400, 'MalformedTrailerError');
});

test('a trailer that nothing announces would be held against nothing: it is refused', async () => {
  const unannounced: readonly NonNullable<Framed['trailers']>[] = [
    [TRAILER],
    [[CRC32, 'AAAAAA==']],
    [['x-amz-meta-a', 'b']],
  ];
  for (const form of [SIGNED_TRAILER, UNSIGNED_TRAILER]) {
    for (const trailers of unannounced) {
      await refuse(framed({ form, headers: [], trailers }), 400, 'MalformedTrailerError');
    }
    // None is announced and none comes: that is what it says.
    await keep(framed({ key: 'none', form, headers: [], trailers: [] }), 'none');
  }
});

test('a trailer that is announced by no name that is known is an invalid request', async () => {
  for (const name of ['x-amz-meta-a', 'x-amz-checksum-md4', 'x-amz-checksum-', `${CRC32},x`]) {
    const headers = [['x-amz-trailer', name]] as const;
    await refuse(framed({ form: UNSIGNED_TRAILER, headers }), 400, 'InvalidRequest');
  }
});

test('the value of a trailer is a checksum, and that of the body', async () => {
  for (const form of [SIGNED_TRAILER, UNSIGNED_TRAILER]) {
    for (const value of ['', '!', 'DUoRhQ', 'DUoRhQ==x', 'DUoRhQAA', 'DUoR hQ==']) {
      const message = framed({ form, trailers: [[CRC32, value]] });
      const words = `Value for ${CRC32} trailing header is invalid.`;
      await refuse(message, 400, 'InvalidRequest', words);
    }
    await refuse(framed({ form, trailers: [[CRC32, 'AAAAAA==']] }), 400, 'BadDigest');
  }
});

test('every algorithm may come behind the body', async () => {
  const values: Readonly<Record<string, string>> = {
    crc32: 'DUoRhQ==',
    crc32c: 'yZRlqg==',
    crc64nvme: 'jSnVw/bqjr4=',
    sha1: 'Kq5sNclPz7QV2+lfQIuc6R7oRu0=',
    sha256: 'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=',
    sha512:
      'MJ7MSJwS1utMxA9QyQLytNDtd+5RGnx6m808qG1M2G+Y' +
      'ndNbxf9JlnDaNCVbRbDP2DDoH2Bdz33FVC6TrpzXbw==',
    md5: 'XrY7u+Ae7tCTyyK7j1rNww==',
    xxhash64: 'RatnNLIeaWg=',
    xxhash3: '1Eex6kDmmIs=',
    xxhash128: '340J6T+HSQCpm4d1zBW2xw==',
  };
  for (const [name, value] of Object.entries(values)) {
    const header = `x-amz-checksum-${name}`;
    for (const form of [SIGNED_TRAILER, UNSIGNED_TRAILER]) {
      const headers: readonly Header[] = [
        ['x-amz-trailer', header],
        ['x-amz-sdk-checksum-algorithm', name.toUpperCase()],
      ];
      const wanted = { key: name, form, headers, trailers: [[header, value]] as const };
      const { put } = await keep(framed(wanted), name);
      assert.deepEqual(
        [put.headers[header], put.headers['x-amz-checksum-type']],
        [value, 'FULL_OBJECT'],
      );
    }
  }
});

test('names are in any case, lines end by LF alone too, and space around is nothing', async () => {
  for (const lines of [
    'X-Amz-Checksum-CRC32:DUoRhQ==\r\n\r\n',
    'x-amz-checksum-crc32: DUoRhQ== \n\r\n',
    'x-amz-checksum-crc32:DUoRhQ==\n\r\n\r\n',
  ]) {
    await keep(raw(`B\r\nhello world\r\n0\r\n${lines}`, { key: 'lenient' }), 'lenient');
  }
});

test('a sender that leaves in the middle stores nothing and is no fault of ours', async () => {
  const seen = s3.lines.length;
  const chunks = [Buffer.alloc(500_000, 'x'), Buffer.alloc(500_000, 'y')];
  for (const form of [SIGNED, UNSIGNED_TRAILER]) {
    const message = framed({ form, chunks, headers: [], trailers: [] });
    const socket = await openSocket(s3.endpoint);
    socket.write(Buffer.concat([headOf(message), message.body.subarray(0, 600_000)]));
    socket.write('', () => socket.destroy());
  }
  await eventually(() => s3.lines.slice(seen).filter((line) => /PutObject/.test(line)).length >= 2);
  const lines = s3.lines.slice(seen).map((line) => JSON.parse(line));
  const faults = lines.filter(({ level, status }) => level === 'error' || status >= 500);
  assert.deepEqual(faults, []);
  assert(!(await keysOf(ann)).includes('refused'));
});
