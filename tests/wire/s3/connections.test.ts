/**
 * Proves what the contract says of connections: who waits for `100 Continue` is refused before the
 * body, requests in a row are answered in their order, and who leaves or misbehaves harms nobody.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { BodyWatch } from '../../../src/server/bodies/body-watch.ts';
import { FakeClock } from '../../world/fake-clock.ts';
import { type Answer, openSocket, parseAnswer, readToEnd } from '../http-client.ts';
import { eventually } from '../service.ts';
import { startS3Alone } from './s3-alone.ts';
import { assertS3Error, startS3 } from './start-s3.ts';
import {
  assertFacts,
  deliver,
  type Header,
  headOf,
  keysOf,
  type Message,
  signed,
  unsigned,
  withHeaders,
} from './wire-request.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');
const { bucket } = ann;
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

const put = (key: string, body: string | Uint8Array, headers: readonly Header[] = []) =>
  signed(ann, { route: `PUT /${bucket}/${key}`, body, headers });
const get = (key: string) => signed(ann, { route: `GET /${bucket}/${key}` });
const kept = (message: Message) => withHeaders(message, { connection: undefined });
const expecting = (message: Message) => withHeaders(message, { expect: '100-continue' });

/** What comes first on a socket. */
async function firstOf(socket: Socket): Promise<string> {
  const [chunk] = await once(socket, 'data');
  return String(chunk);
}

/** Sends a head that waits, and answers what came before any byte of the body was sent. */
async function beforeBody(message: Message): Promise<Answer> {
  const socket = await openSocket(s3.endpoint);
  const reading = readToEnd(socket);
  socket.write(headOf(expecting(message)));
  const text = await reading;
  assert(!text.startsWith('HTTP/1.1 100'), text);
  return parseAnswer(text);
}

test('who waits for 100 Continue gets it once the request is admitted', async () => {
  for (const message of [
    put('small', 'hello'),
    put('large', Buffer.alloc(1_000_000, 'x')),
    put('empty', ''),
    signed(ann, { route: `PUT /${bucket}?tagging`, body: '<Tagging><TagSet/></Tagging>' }),
  ]) {
    const socket = await openSocket(s3.endpoint);
    const first = firstOf(socket);
    socket.write(headOf(expecting(message)));
    const text = await first;
    if (message.body.length === 0) {
      assert.match(text, /^HTTP\/1\.1 (?:100 Continue|200 OK)\r\n/);
      socket.destroy();
      continue;
    }
    assert.equal(text, CONTINUE, message.target);
    const reading = readToEnd(socket);
    socket.write(message.body);
    const { status } = parseAnswer(await reading);
    assert([200, 204].includes(status), message.target);
  }
  assert.equal((await deliver(s3.endpoint, get('small'))).text, 'hello');
});

test('who waits and is refused gets the refusal alone, and the connection ends', async () => {
  const bob = await s3.openHolder('bob');
  const body = 'hello';
  const rows: readonly (readonly [message: Message, status: number, code: string])[] = [
    [
      signed({ ...ann, secret: 'x' }, { route: `PUT /${bucket}/no`, body }),
      403,
      'SignatureDoesNotMatch',
    ],
    [unsigned({ route: `PUT /${bucket}/no`, body }), 403, 'AccessDenied'],
    [signed(ann, { route: `PUT /${bob.bucket}/no`, body }), 403, 'AccessDenied'],
    [signed(ann, { route: 'PUT /absent-bucket/no', body }), 404, 'NoSuchBucket'],
    [signed(ann, { route: 'PUT /%zz', body }), 400, 'InvalidURI'],
    [put('small', body, [['if-none-match', '*']]), 412, 'PreconditionFailed'],
    [put('small', body, [['if-match', '"x"']]), 412, 'PreconditionFailed'],
    [put('absent', body, [['if-match', '"x"']]), 404, 'NoSuchKey'],
    [put('no', body, [['content-md5', 'x']]), 400, 'InvalidDigest'],
    [put('no', body, [['x-amz-storage-class', 'PAPER']]), 400, 'InvalidStorageClass'],
    [put('no', body, [['x-amz-checksum-crc32', 'x']]), 400, 'InvalidRequest'],
    [withHeaders(put('no', body), { 'content-length': `${6 * 1024 ** 3}` }), 400, 'EntityTooLarge'],
    [
      withHeaders(put('no', body), { 'content-length': undefined, 'transfer-encoding': 'chunked' }),
      411,
      'MissingContentLength',
    ],
    [
      signed(ann, { route: `PUT /${bucket}/no?partNumber=1&uploadId=x`, body }),
      404,
      'NoSuchUpload',
    ],
    [signed(ann, { route: 'POST /', body }), 405, 'MethodNotAllowed'],
    [
      withHeaders(signed(ann, { route: `PUT /${bucket}?cors`, body }), {
        'content-length': `${5 * 1024 ** 2}`,
      }),
      400,
      'MaxMessageLengthExceeded',
    ],
  ];
  for (const [message, status, code] of rows) {
    const answer = await beforeBody(message);
    assertS3Error(answer, status, code);
    assert.equal(answer.headers.connection, 'close', code);
  }
  assert.equal((await deliver(s3.endpoint, get('small'))).text, 'hello');
  assert.deepEqual(
    (await keysOf(ann)).filter((key) => key === 'no' || key === 'absent'),
    [],
  );
});

test('who does not wait after all is served', async () => {
  const message = expecting(put('impatient', 'hello'));
  const answer = await deliver(s3.endpoint, message);
  // Both come on one connection: the admission, then the answer.
  assert([100, 200].includes(answer.status));
  assert.equal((await deliver(s3.endpoint, get('impatient'))).text, 'hello');
});

test('another expectation, or an empty one, is not looked at', async () => {
  for (const expect of ['200-ok', '']) {
    const other = withHeaders(put('other', `of "${expect}"`), { expect });
    assert.equal((await deliver(s3.endpoint, other)).status, 200, expect);
    assert.equal((await deliver(s3.endpoint, get('other'))).text, `of "${expect}"`);
  }
});

test('requests in a row on one connection are answered in their order', async () => {
  const socket = await openSocket(s3.endpoint);
  const reading = readToEnd(socket);
  const messages = [
    kept(put('row', 'one')),
    kept(get('row')),
    kept(get('absent')),
    kept(put('row', 'two')),
    kept(signed(ann, { route: `HEAD /${bucket}/absent` })),
    get('row'),
  ];
  socket.write(Buffer.concat(messages.flatMap((message) => [headOf(message), message.body])));
  const text = await reading;
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '200', '404', '200', '404', '200']);
  assert.match(text, /\r\n\r\noneHTTP\/1\.1 404/);
  assert(text.endsWith('two'), text);
});

test('a body of another is never taken for a request: what follows a refusal is not lost', async () => {
  const socket = await openSocket(s3.endpoint);
  const reading = readToEnd(socket);
  const hidden = headOf(kept(get('small')));
  const refused = kept(withHeaders(put('no', hidden), { authorization: undefined }));
  socket.write(Buffer.concat([headOf(refused), refused.body, headOf(get('small'))]));
  const text = await reading;
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['403', '200']);
});

test('a connection is kept for longer than proxies keep theirs', async () => {
  const socket = await openSocket(s3.endpoint);
  const first = firstOf(socket);
  socket.write(headOf(kept(get('small'))));
  const { headers } = parseAnswer(await first);
  socket.destroy();
  assert.equal(headers.connection, 'keep-alive');
  const seconds = Number(/^timeout=(\d+)$/.exec(String(headers['keep-alive']))?.[1]);
  assert(seconds > 60, String(headers['keep-alive']));
});

test('HTTP/1.0 is answered and its connection ended', async () => {
  const old = { ...kept(get('small')), version: 'HTTP/1.0' };
  const answer = await deliver(s3.endpoint, old);
  assert.deepEqual([answer.status, answer.text], [200, 'hello']);
});

test('a large body that is refused is read off, so that its sender sees why', async () => {
  const body = Buffer.alloc(2_000_000, 'x');
  for (const message of [
    signed({ ...ann, secret: 'x' }, { route: `PUT /${bucket}/no`, body }),
    signed(ann, { route: 'PUT /absent-bucket/no', body }),
    put('no', body, [['x-amz-acl', 'public-read']]),
    signed(ann, { route: `DELETE /${bucket}/absent?versionId=x`, body }),
  ]) {
    const { status } = await deliver(s3.endpoint, message);
    assert([400, 403, 404].includes(status), `${status} ${message.target}`);
  }
});

test('a refused body that is too large to be read off ends its connection, and says so', async () => {
  const refusedOn = (bytes: number) =>
    kept(withHeaders(put('no', Buffer.alloc(bytes)), { authorization: undefined }));
  const small = refusedOn(4_000_000);
  const one = await openSocket(s3.endpoint);
  const reading = readToEnd(one);
  one.write(Buffer.concat([headOf(small), small.body, headOf(get('absent'))]));
  const statuses = [...(await reading).matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['403', '404']);
  const large = refusedOn(5_000_000);
  const chunked = withHeaders(large, {
    'content-length': undefined,
    'transfer-encoding': 'chunked',
  });
  const frame = Buffer.from('3\r\nabc\r\n0\r\n\r\n');
  for (const bytes of [
    Buffer.concat([headOf(large), large.body.subarray(0, 3_000_000)]),
    Buffer.concat([headOf(chunked), frame]),
  ]) {
    const other = await openSocket(s3.endpoint);
    other.on('error', () => undefined);
    const closed = new Promise((resolve) => other.once('close', resolve));
    const first = firstOf(other);
    other.write(bytes);
    const answer = parseAnswer(await first);
    assertS3Error(answer, 403, 'AccessDenied');
    assert.equal(answer.headers.connection, 'close');
    // The rest of the body is not held back for want of a reader.
    other.write(large.body.subarray(0, 1_000_000));
    await closed;
  }
});

test('who leaves within a body stores nothing, and is no fault of ours', async () => {
  const seen = s3.lines.length;
  for (const size of [1000, 3_000_000]) {
    const message = put('left', Buffer.alloc(size, 'x'));
    const socket = await openSocket(s3.endpoint);
    socket.write(Buffer.concat([headOf(message), message.body.subarray(0, size / 2)]));
    await wait(20);
    socket.resetAndDestroy();
  }
  await eventually(() => s3.lines.slice(seen).filter((line) => /PutObject/.test(line)).length >= 2);
  const lines = s3.lines.slice(seen).map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.filter(({ level, status }) => level === 'error' || status >= 500),
    [],
  );
  assert(!(await keysOf(ann)).includes('left'));
});

test('who leaves within an answer is no fault of ours', async () => {
  const seen = s3.lines.length;
  await deliver(s3.endpoint, put('long', Buffer.alloc(16_000_000, 'x')));
  const socket = await openSocket(s3.endpoint);
  socket.write(headOf(get('long')));
  await once(socket, 'data');
  socket.resetAndDestroy();
  const gets = () => s3.lines.slice(seen).filter((line) => /"route":"GetObject"/.test(line));
  await eventually(() => gets().length > 0);
  const [line = '{}'] = gets();
  assert.equal(JSON.parse(line).isWhole, false);
  assert(!s3.lines.slice(seen).some((text) => text.includes('"level":"error"')));
});

test('a head that never ends is RequestTimeout, a body that stalls too', async () => {
  const clock = new FakeClock();
  const { endpoint, holder } = await startS3Alone({
    timeouts: { idleMs: 60_000, headersMs: 300 },
    change: () => ({ watch: new BodyWatch(clock) }),
  });
  const slow = await openSocket(endpoint);
  const reading = readToEnd(slow);
  slow.write(`GET /${holder.bucket} HTTP/1.1\r\nhost: x\r\n`);
  const drip = setInterval(() => slow.write('a: b\r\n'), 50);
  assertS3Error(parseAnswer(await reading), 400, 'RequestTimeout');
  clearInterval(drip);
  const hands = setInterval(() => clock.advance(61_000), 50);
  after(() => clearInterval(hands));
  // A form and a document are gathered, an object flows; all of them may stall.
  for (const route of [`PUT /${holder.bucket}?tagging`, `POST /${holder.bucket}?delete`]) {
    const body = `<${'x'.repeat(1000)}`;
    const headers = [['content-md5', 'AAAAAAAAAAAAAAAAAAAAAA==']] as const;
    const message = signed(holder, { route, body, headers });
    const socket = await openSocket(endpoint);
    const answer = readToEnd(socket);
    socket.write(Buffer.concat([headOf(message), message.body.subarray(0, 500)]));
    assertFacts(parseAnswer(await answer), 400, 'RequestTimeout');
    await eventually(() => socket.closed);
  }
  // Who waits for leave to send, gets it and sends nothing, is told as well.
  const waiting = expecting(
    signed(holder, { route: `PUT /${holder.bucket}/never`, body: 'hello' }),
  );
  const socket = await openSocket(endpoint);
  const answer = readToEnd(socket);
  socket.write(headOf(waiting));
  const text = await answer;
  assert(text.startsWith(CONTINUE), text);
  assertS3Error(parseAnswer(text.slice(CONTINUE.length)), 400, 'RequestTimeout');
  const list = signed(holder, { route: `GET /${holder.bucket}` });
  assert.match((await deliver(endpoint, list)).text, /<IsTruncated>false/);
});

test('hundreds of senders that stall stop nobody', async () => {
  const clock = new FakeClock();
  const { endpoint, holder } = await startS3Alone({
    change: () => ({ watch: new BodyWatch(clock) }),
  });
  const stalled: Socket[] = [];
  for (let count = 0; count < 200; count += 1) {
    const route = `PUT /${holder.bucket}/stalled-${count}`;
    const message = signed(holder, { route, body: Buffer.alloc(count % 2 === 0 ? 300_000 : 1000) });
    const socket = await openSocket(endpoint);
    socket.resume();
    const half = message.body.subarray(0, message.body.length / 2);
    socket.write(Buffer.concat([headOf(message), half]));
    stalled.push(socket);
  }
  const through = signed(holder, { route: `PUT /${holder.bucket}/through`, body: 'x' });
  assert.equal((await deliver(endpoint, through)).status, 200);
  await eventually(() => {
    clock.advance(61_000);
    return stalled.every((socket) => socket.closed);
  });
  const { text } = await deliver(endpoint, signed(holder, { route: `GET /${holder.bucket}` }));
  assert.deepEqual(text.match(/<Key>[^<]*/g), ['<Key>through']);
});
