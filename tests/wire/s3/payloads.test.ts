/**
 * Proves the table of `x-amz-content-sha256`: each of its values with the body that it promises and
 * with another, by whom it may be used and where; and bodies of a wrong or unknown length.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeAwsChunked } from '../../world/aws-chunked-body.ts';
import type { Answer } from '../http-client.ts';
import { assertS3Error, startS3 } from './start-s3.ts';
import {
  assertFacts,
  deliver,
  type Header,
  keysOf,
  type Message,
  type SignedMessage,
  signed,
  unsigned,
  withBody,
  withHeaders,
} from './wire-request.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');
const { bucket } = ann;
const send = (message: Message) => deliver(s3.endpoint, message);
const HELLO = Buffer.from('hello');
const LENGTH: Header = ['x-amz-decoded-content-length', '5'];
const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
const SIGNED_TRAILER = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const MISMATCH = 'XAmzContentSHA256Mismatch';
const STREAMING = [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER];

type Wanted = { readonly headers?: readonly Header[]; readonly body?: string | Uint8Array };

const put = (key: string, payloadHash: string, { headers = [], body = 'hello' }: Wanted = {}) =>
  signed(ann, { route: `PUT /${bucket}/${key}`, payloadHash, headers, body });

/** `hello` in the frame that the payload hash promises. */
function chunkedPut(key: string, payloadHash: string, route = `PUT /${bucket}/${key}`): Message {
  const trailers = payloadHash.endsWith('TRAILER')
    ? ([['x-amz-checksum-crc32', 'NhCmhg==']] as const)
    : [];
  const named = trailers.map(([name]): Header => ['x-amz-trailer', name]);
  const message: SignedMessage = signed(ann, { route, payloadHash, headers: [LENGTH, ...named] });
  const signatures = payloadHash === UNSIGNED_TRAILER ? undefined : message.chain;
  return withBody(message, encodeAwsChunked({ chunks: [HELLO], signatures, trailers }));
}

async function assertKept(message: Message, key: string): Promise<void> {
  const answer = await send(message);
  assert.equal(answer.status, 200, answer.text);
  const got = await ann.raw.expectDone({ method: 'GET', bucket, key });
  assert.equal(got.text, 'hello', key);
}

async function refuse(message: Message, status: number, code: string, words?: RegExp) {
  const facts = words === undefined ? {} : { Message: words };
  assertFacts(await send(message), status, code, facts);
  assert(!(await keysOf(ann)).includes('refused'), 'it was stored');
}

test('a hash is that of the raw body', async () => {
  await assertKept(signed(ann, { route: `PUT /${bucket}/hashed`, body: 'hello' }), 'hashed');
  const other = withBody(signed(ann, { route: `PUT /${bucket}/refused`, body: 'hello' }), 'jello');
  await refuse(other, 400, 'XAmzContentSHA256Mismatch');
  await refuse(put('refused', '0'.repeat(64)), 400, 'XAmzContentSHA256Mismatch');
  await refuse(withBody(put('refused', 'e'.repeat(64)), ''), 400, 'XAmzContentSHA256Mismatch');
});

test('a hash is held against bodies of every size, and of XML documents', async () => {
  for (const length of [0, 1, 65_536, 300_000, 2_000_000]) {
    const message = put('refused', '1'.repeat(64), { body: Buffer.alloc(length, 'x') });
    await refuse(message, 400, 'XAmzContentSHA256Mismatch');
  }
  const body = '<Tagging><TagSet/></Tagging>';
  const route = `PUT /${bucket}?tagging`;
  const tagging = signed(ann, { route, body, payloadHash: '2'.repeat(64) });
  await refuse(tagging, 400, 'XAmzContentSHA256Mismatch');
});

test('a request without a body signs the hash of nothing, or none', async () => {
  const id = await openUpload();
  for (const [route, status] of [
    ['GET /', 200],
    [`GET /${bucket}?list-type=2`, 200],
    [`GET /${bucket}/hashed`, 200],
    [`POST /${bucket}/part?uploads`, 200],
    [`DELETE /${bucket}/part?uploadId=${id}`, 204],
    [`DELETE /${bucket}/absent`, 204],
  ] as const) {
    await refuse(signed(ann, { route, payloadHash: '3'.repeat(64) }), 400, MISMATCH);
    assert.equal((await send(signed(ann, { route }))).status, status, route);
    const unsignedPayload = signed(ann, { route, payloadHash: 'UNSIGNED-PAYLOAD' });
    assert((await send(unsignedPayload)).status !== 400, route);
  }
  const head = signed(ann, { route: `HEAD /${bucket}/hashed`, payloadHash: '3'.repeat(64) });
  assert.equal((await send(head)).status, 400);
});

test('an unsigned body is kept as it comes, over plain HTTP too', async () => {
  await assertKept(put('unsigned', 'UNSIGNED-PAYLOAD'), 'unsigned');
});

test('each streaming form is kept without its frame', async () => {
  for (const payloadHash of STREAMING) {
    await assertKept(chunkedPut(payloadHash, payloadHash), payloadHash);
  }
});

test('SigV4a is not implemented, in any of its forms', async () => {
  for (const form of ['PAYLOAD', 'PAYLOAD-TRAILER']) {
    const payloadHash = `STREAMING-AWS4-ECDSA-P256-SHA256-${form}`;
    await refuse(put('refused', payloadHash, { headers: [LENGTH] }), 501, 'NotImplemented');
  }
});

test('any other value is an invalid argument', async () => {
  const values = [
    ...['', 'x', 'unsigned-payload', 'UNSIGNED', 'a'.repeat(63), 'a'.repeat(65), 'G'.repeat(64)],
    ...['A'.repeat(64), 'STREAMING-UNSIGNED-PAYLOAD', 'STREAMING-', `${SIGNED}-TRAILERS`],
    ...['streaming-aws4-hmac-sha256-payload', 'STREAMING-AWS4-HMAC-SHA512-PAYLOAD'],
  ];
  for (const value of values) {
    assertFacts(await send(put('refused', value)), 400, 'InvalidArgument', {
      ArgumentName: 'x-amz-content-sha256',
      ArgumentValue: value,
    });
  }
  assert(!(await keysOf(ann)).includes('refused'));
});

test('a signed header without a payload hash is an invalid request', async () => {
  const message = signed(ann, { route: `PUT /${bucket}/refused`, body: 'hello' });
  const without = withHeaders(message, { 'x-amz-content-sha256': undefined });
  const words = /^Missing required header for this request: x-amz-content-sha256$/;
  await refuse(without, 400, 'InvalidRequest', words);
});

test('streaming forms go with PutObject and UploadPart only', async () => {
  const id = await openUpload();
  for (const payloadHash of STREAMING) {
    for (const route of [
      'GET /',
      `GET /${bucket}?list-type=2`,
      `PUT /${bucket}?tagging`,
      `PUT /${bucket}/refused?tagging`,
      `POST /${bucket}?delete`,
      `POST /${bucket}/refused?uploads`,
      `POST /${bucket}/part?uploadId=${id}`,
      `DELETE /${bucket}/hashed`,
      `GET /${bucket}/hashed`,
      'PUT /another-bucket',
    ]) {
      const words = /^Streaming payloads go with PutObject and UploadPart only\.$/;
      await refuse(chunkedPut('', payloadHash, route), 400, 'InvalidRequest', words);
    }
    const part = `PUT /${bucket}/part?partNumber=1&uploadId=${id}`;
    const answer = await send(chunkedPut('', payloadHash, part));
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.headers.etag, '"5d41402abc4b2a76b9719d911017c592"');
  }
  const copy = signed(ann, {
    route: `PUT /${bucket}/refused`,
    headers: [LENGTH, ['x-amz-copy-source', `${bucket}/hashed`]],
    payloadHash: SIGNED,
  });
  await refuse(copy, 400, 'InvalidRequest');
});

async function openUpload(): Promise<string> {
  const query = [['uploads', '']] as const;
  const opened = await ann.raw.expectDone({ method: 'POST', bucket, key: 'part', query });
  return /<UploadId>([^<]+)</.exec(opened.text)?.[1] ?? '';
}

test('nobody signs chunks without signing the request; unsigned forms are not read that way', async () => {
  const route = `PUT /${bucket}/refused`;
  for (const form of [SIGNED, SIGNED_TRAILER]) {
    const headers: readonly Header[] = [['x-amz-content-sha256', form], LENGTH];
    await refuse(unsigned({ route, headers, body: 'hello' }), 400, 'InvalidRequest');
  }
  for (const form of ['UNSIGNED-PAYLOAD', UNSIGNED_TRAILER]) {
    const headers: readonly Header[] = [['x-amz-content-sha256', form], LENGTH];
    await refuse(unsigned({ route, headers, body: 'hello' }), 403, 'AccessDenied');
  }
  const bad = unsigned({ route, headers: [['x-amz-content-sha256', 'x']], body: 'hello' });
  await refuse(bad, 400, 'InvalidArgument');
});

test('a body without a length is 411, unless its decoded length is told', async () => {
  const outer = (message: Message, length: number) => ({
    ...withHeaders(message, { 'content-length': undefined, 'transfer-encoding': 'chunked' }),
    body: Buffer.from(`${length.toString(16)}\r\n${message.body}\r\n0\r\n\r\n`),
  });
  const bare = signed(ann, { route: `PUT /${bucket}/refused`, body: 'hello' });
  await refuse(outer(bare, 5), 411, 'MissingContentLength');
  await refuse(outer(put('refused', 'UNSIGNED-PAYLOAD'), 5), 411, 'MissingContentLength');
  const told = put('told', 'UNSIGNED-PAYLOAD', { headers: [LENGTH] });
  await assertKept(outer(told, 5), 'told');
  for (const payloadHash of STREAMING) {
    const message = chunkedPut(`outer-${payloadHash}`, payloadHash);
    await assertKept(outer(message, message.body.length), `outer-${payloadHash}`);
    const untold = signed(ann, { route: `PUT /${bucket}/refused`, payloadHash });
    await refuse(outer(withBody(untold, message.body), 5), 411, 'MissingContentLength');
  }
});

test('a put that tells no length at all is 411', async () => {
  const whole = signed(ann, { route: `PUT /${bucket}/refused` });
  const untold = withHeaders(whole, { 'content-length': undefined });
  await refuse(untold, 411, 'MissingContentLength');
});

test('a decoded length that is no number is an invalid argument', async () => {
  for (const text of ['', '-1', '+5', '5.0', '0x5', 'five', '5 5', '9'.repeat(16)]) {
    const headers = [['x-amz-decoded-content-length', text]] as const;
    await refuse(put('refused', SIGNED, { headers }), 400, 'InvalidArgument');
  }
});

test('more than five GiB is refused before a byte of it', async () => {
  const over = 5 * 1024 ** 3 + 1;
  const plain = withHeaders(put('refused', 'UNSIGNED-PAYLOAD', { body: '' }), {
    'content-length': `${over}`,
  });
  const facts = { ProposedSize: `${over}`, MaxSizeAllowed: `${over - 1}` };
  assertFacts(await send(plain), 400, 'EntityTooLarge', facts);
  const headers = [['x-amz-decoded-content-length', `${over}`]] as const;
  assertFacts(await send(put('refused', SIGNED, { headers })), 400, 'EntityTooLarge', facts);
  const id = await openUpload();
  const part = withHeaders(
    signed(ann, {
      route: `PUT /${bucket}/part?partNumber=1&uploadId=${id}`,
      payloadHash: 'UNSIGNED-PAYLOAD',
    }),
    { 'content-length': `${over}` },
  );
  assertS3Error(await send(part), 400, 'EntityTooLarge');
});

test('a refused body answers the same to HEAD, without words', async () => {
  const answers: Answer[] = [];
  for (const method of ['GET', 'HEAD']) {
    const message = signed(ann, { route: `${method} /${bucket}/hashed`, payloadHash: 'x' });
    answers.push(await send(message));
  }
  assert.deepEqual(
    answers.map(({ status, bytes }) => [status, bytes.length > 0]),
    [
      [400, true],
      [400, false],
    ],
  );
});

test('a frame that no payload hash announces is not stored as if it were the object', async () => {
  const frame = encodeAwsChunked({ chunks: [HELLO], signatures: undefined, trailers: [] });
  const headers: readonly Header[] = [LENGTH, ['content-encoding', 'aws-chunked']];
  const message = put('framed', 'UNSIGNED-PAYLOAD', { headers, body: frame });
  await refuse(message, 400, 'InvalidRequest');
  assert(!(await keysOf(ann)).includes('framed'));
  await assertKept(put('bare', 'UNSIGNED-PAYLOAD', { headers: [LENGTH] }), 'bare');
});
