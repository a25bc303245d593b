/**
 * Proves the contract's section "Transport, routing, common headers": what a request line and its
 * headers mean, byte for byte, what every answer bears, and how large a head may be.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodePath } from '../../../src/kit/sigv4/percent.ts';
import { type Answer, exchange, parseAnswer } from '../http-client.ts';
import { assertS3Error, startS3 } from './start-s3.ts';
import {
  assertFacts,
  deliver,
  factOf,
  type Header,
  HOST,
  keysOf,
  type Message,
  signed,
  unsigned,
  withHeaders,
} from './wire-request.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');
const { bucket } = ann;
const send = (message: Message) => deliver(s3.endpoint, message);
const ask = (route: string, headers: readonly Header[] = [], body = '') =>
  send(signed(ann, { route, headers, body }));

async function put(path: string, headers: readonly Header[] = [], body = 'x'): Promise<Answer> {
  const answer = await ask(`PUT /${bucket}/${path}`, headers, body);
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

/** The listing of everything, as text. */
async function listed(): Promise<readonly string[]> {
  const answer = await ask(`GET /${bucket}?list-type=2&encoding-type=url`);
  return [...answer.text.matchAll(/<Key>([^<]*)</g)].map(([, key = '']) => decodeURIComponent(key));
}

test('the path is the service, a bucket or an object, and nothing else', async () => {
  assert.match((await ask('GET /')).text, /<ListAllMyBucketsResult /);
  assert.match((await ask('GET /?x-id=ListBuckets')).text, /<ListAllMyBucketsResult /);
  assert.match((await ask(`GET /${bucket}`)).text, /<ListBucketResult /);
  assert.match((await ask(`GET /${bucket}/`)).text, /<ListBucketResult /);
  assertFacts(await ask(`GET /${bucket}/k`), 404, 'NoSuchKey', { Key: 'k' });
  assertFacts(await ask(`GET /${bucket}//`), 404, 'NoSuchKey', { Key: '/' });
  assertFacts(await ask('GET //'), 400, 'InvalidBucketName');
  assertFacts(await ask('GET //k'), 400, 'InvalidBucketName');
  assertFacts(await ask('GET /absent-bucket/k'), 404, 'NoSuchBucket', {
    BucketName: 'absent-bucket',
    Resource: '/absent-bucket/k',
  });
});

test('a host that names a bucket is a name like any other: the path alone says which', async () => {
  const message = signed(ann, { route: 'GET /' });
  assert.equal((await send(message)).status, 200);
  const virtual = withHeaders(message, { host: `${bucket}.${HOST}` });
  assertS3Error(await send(virtual), 403, 'SignatureDoesNotMatch');
});

test('a key is everything behind the second slash, decoded once', async () => {
  const keys = [
    ...['a//b', '/', '//', '/a', 'a/', './a', '../a', 'a/../b', 'a/./b', '..', '.', 'a/..'],
    ...['a b', ' ', ' a ', 'a+b', 'a%20b', '%', '%25', 'a?b', 'a#b', 'a&b=c', 'a;b', 'a\\b'],
    ...['ä', '日本', '🐈', 'a\u0301', 'á', '\u00a0', '\ufeff', '\uffff', '\u{10ffff}'],
    ...['\t', '\n', '\r', '\x01', '\x7f', '"', '<>', "'", '007', '1e3', '__proto__', 'null'],
    ...['favicon.ico', 'health', 'metrics', 'a.b-c_d~e', '(a)!*$,:@'],
  ];
  for (const key of keys) await put(encodePath(key), [], `of ${key}`);
  for (const key of keys) {
    const answer = await ask(`GET /${bucket}/${encodePath(key)}`);
    assert.equal(answer.text, `of ${key}`, JSON.stringify(key));
  }
  assert.deepEqual((await listed()).toSorted(), keys.toSorted());
  for (const key of keys) {
    assert.equal((await ask(`DELETE /${bucket}/${encodePath(key)}`)).status, 204);
  }
  assert.deepEqual(await listed(), []);
});

test('one key may be written in many ways', async () => {
  await put('a/b~c%20d');
  for (const path of ['a/b~c%20d', 'a%2Fb~c%20d', 'a%2fb%7ec%20d', '%61/%62%7E%63%20%64']) {
    assert.equal((await ask(`GET /${bucket}/${path}`)).status, 200, path);
  }
  for (const path of ['a/b~c+d', 'a/b~c%2520d', 'A/b~c%20d', 'a/b~c%20d/', '/a/b~c%20d']) {
    assertS3Error(await ask(`GET /${bucket}/${path}`), 404, 'NoSuchKey');
  }
  await ask(`DELETE /${bucket}/a/b~c%20d`);
});

test('bad percent-encoding and bad UTF-8 are InvalidURI, wherever they stand', async () => {
  const bad = [
    ...['%', '%1', '%zz', '%2', 'a%', '%%20', '%-1', '%0x', '%u0041', '% 1'.replace(' ', '+')],
    ...[
      '%ff',
      '%c3',
      '%c3%28',
      '%e2%82',
      '%ed%a0%80',
      '%f0%9f%90',
      '%c0%af',
      '%f4%90%80%80',
      '%80',
    ],
  ];
  for (const text of bad) {
    assertS3Error(await ask(`PUT /${bucket}/${text}`, [], 'x'), 400, 'InvalidURI');
    assertS3Error(await ask(`GET /${text}`), 400, 'InvalidURI');
    assertS3Error(await ask(`GET /${text}/k`), 400, 'InvalidURI');
    assertS3Error(await ask(`GET /${bucket}?prefix=${text}`), 400, 'InvalidURI');
    assertS3Error(await ask(`GET /${bucket}?${text}`), 400, 'InvalidURI');
    const head = await ask(`HEAD /${bucket}/${text}`);
    assert.deepEqual([head.status, head.bytes.length], [400, 0]);
  }
  assert.deepEqual(await keysOf(ann), []);
});

test('a key with NUL is an invalid argument', async () => {
  for (const key of ['%00', 'a%00', 'a%00b']) {
    assertFacts(await ask(`PUT /${bucket}/${key}`, [], 'x'), 400, 'InvalidArgument', {
      ArgumentName: 'Key',
    });
  }
});

test('a key has up to 1024 bytes of UTF-8', async () => {
  const long = ['x'.repeat(1024), 'ä'.repeat(512), '🐈'.repeat(256), 'a/'.repeat(512)];
  for (const key of long) await put(encodePath(key));
  for (const key of long) {
    assert.equal((await ask(`HEAD /${bucket}/${encodePath(key)}`)).status, 200);
    const longer = await ask(`PUT /${bucket}/${encodePath(`${key}x`)}`, [], 'x');
    assertFacts(longer, 400, 'KeyTooLongError', { Size: '1025' });
    assertS3Error(await ask(`GET /${bucket}/${encodePath(`${key}x`)}`), 400, 'KeyTooLongError');
    await ask(`DELETE /${bucket}/${encodePath(key)}`);
  }
  assert.deepEqual(await listed(), []);
});

test('a target may name scheme and host; what is no path is InvalidURI', async () => {
  await put('absolute');
  const plain = signed(ann, { route: `GET /${bucket}/absolute` });
  for (const origin of [`http://${HOST}`, 'https://s3.example.org:9000', 'HTTP://x']) {
    const answer = await send({ ...plain, target: `${origin}${plain.target}` });
    assert.equal(answer.text, 'x', origin);
  }
  const service = signed(ann, { route: 'GET /' });
  assert.equal((await send({ ...service, target: `http://${HOST}/` })).status, 200);
  for (const target of ['*', 'ftp://x/y']) {
    assertS3Error(await send({ ...service, target }), 400, 'InvalidURI');
  }
  await ask(`DELETE /${bucket}/absolute`);
});

test('a sub-resource counts with or without a sign of equality', async () => {
  for (const query of ['location', 'location=', 'location=x', 'x-id=a&location']) {
    assert.match((await ask(`GET /${bucket}?${query}`)).text, /<LocationConstraint/, query);
  }
});

test('harmless parameters are ignored, and signed', async () => {
  for (const query of [
    'x-id=PutObject',
    'metadata=true',
    'allow-unordered=true',
    'anything',
    'a=%F0%9F%90%88',
  ]) {
    await put(`harmless?${query}`);
  }
  assert.deepEqual(await keysOf(ann), ['harmless']);
  await ask(`DELETE /${bucket}/harmless?x-id=DeleteObject`);
});

test('contradictions of method, query and headers are refused by their codes', async () => {
  const copy = [['x-amz-copy-source', `${bucket}/k`]] as const;
  const rows: readonly (readonly [string, number, string, (readonly Header[])?])[] = [
    [`PUT /${bucket}/k?partNumber=1`, 400, 'InvalidArgument'],
    [`PUT /${bucket}/k?partNumber`, 400, 'InvalidArgument'],
    [`GET /${bucket}/k?uploads`, 400, 'InvalidRequest'],
    [`GET /${bucket}/k?versions`, 400, 'InvalidRequest'],
    ['POST /', 405, 'MethodNotAllowed'],
    ['PUT /', 405, 'MethodNotAllowed'],
    ['DELETE /', 405, 'MethodNotAllowed'],
    ['HEAD /', 405, ''],
    [`PATCH /${bucket}`, 405, 'MethodNotAllowed'],
    [`POST /${bucket}/k`, 405, 'MethodNotAllowed'],
    [`PATCH /${bucket}/k`, 405, 'MethodNotAllowed'],
    [`TRACE /${bucket}/k`, 405, 'MethodNotAllowed'],
    [`COPY /${bucket}/k`, 405, 'MethodNotAllowed'],
    [`PROPFIND /${bucket}`, 405, 'MethodNotAllowed'],
    [`GET /${bucket}/k`, 400, 'InvalidArgument', copy],
    [`POST /${bucket}/k?uploads`, 400, 'InvalidArgument', copy],
    [`DELETE /${bucket}/k`, 400, 'InvalidArgument', copy],
    [`HEAD /${bucket}/k`, 400, '', copy],
  ];
  for (const [route, status, code, headers = []] of rows) {
    const answer = await ask(route, headers);
    assert.equal(answer.status, status, `${route} ${answer.text}`);
    assert.equal(factOf(answer, 'Code') ?? '', code, route);
  }
  assert.deepEqual(await keysOf(ann), []);
});

function assertNamed({ headers }: Answer, what: string): void {
  assert.match(String(headers['x-amz-request-id']), /^[0-9A-Z]{16}$/, what);
  assert.notEqual(headers['x-amz-id-2'] ?? '', '', what);
  assert.notEqual(headers['server'] ?? '', '', what);
  assert.match(String(headers.date), /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/, what);
}

test('every answer names itself, its server and its date', async () => {
  await put('named');
  const seen = new Set<unknown>();
  for (const route of [
    ...['GET /', `HEAD /${bucket}`, `GET /${bucket}`, `GET /${bucket}/named`, `PATCH /${bucket}`],
    ...[`HEAD /${bucket}/named`, `GET /${bucket}/absent`, `HEAD /${bucket}/absent`],
    ...[`PUT /${bucket}/named`, `DELETE /${bucket}/absent`, 'GET /absent-bucket', 'GET /%zz'],
  ]) {
    const answer = await ask(route);
    assertNamed(answer, route);
    seen.add(answer.headers['x-amz-request-id']);
  }
  assert.equal(seen.size, 12);
  assertS3Error(await ask(`GET /${bucket}/absent`), 404, 'NoSuchKey');
  await ask(`DELETE /${bucket}/named`);
});

test('an error document has its parts in order, and the identity of its answer', async () => {
  const answer = await ask(`GET /${bucket}/a%26b`);
  assertFacts(answer, 404, 'NoSuchKey', {
    Key: 'a&b',
    Resource: `/${bucket}/a%26b`,
    RequestId: String(answer.headers['x-amz-request-id']),
    HostId: String(answer.headers['x-amz-id-2']),
  });
  assert.match(
    answer.text,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<Error><Code>\w+<\/Code><Message>[^<]+<\/Message><Resource>[^<]+<\/Resource><Key>a&amp;b<\/Key><RequestId>\w+<\/RequestId><HostId>\w+<\/HostId><\/Error>$/,
  );
  const result = await ask(`GET /${bucket}`);
  assert.equal(result.headers['content-type'], 'application/xml');
  assert.match(
    result.text,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<ListBucketResult xmlns="http:\/\/s3\.amazonaws\.com\/doc\/2006-03-01\/">/,
  );
});

/** The headers of an answer that another to the same question bears too. */
const lasting = ({ headers }: Answer) =>
  Object.entries(headers).filter(([name]) => name !== 'x-amz-request-id' && name !== 'date');

test('an answer to HEAD has the headers of that to GET, and no body', async () => {
  await put('head', [['cache-control', 'no-store']], 'hello');
  for (const path of [`${bucket}/head`, `${bucket}/absent`, `${bucket}/%zz`]) {
    const [get, head] = [await ask(`GET /${path}`), await ask(`HEAD /${path}`)];
    assert.equal(head.status, get.status);
    assert.equal(head.bytes.length, 0);
    assert.deepEqual(lasting(head), lasting(get), path);
  }
  await ask(`DELETE /${bucket}/head`);
});

test('a head of 16 KB and more is RequestHeaderSectionTooLarge, one of 8 KB is served', async () => {
  const padded = (length: number) =>
    withHeaders(signed(ann, { route: 'GET /' }), { 'x-padding': 'p'.repeat(length) });
  assert.equal((await send(padded(8 * 1024))).status, 200);
  assert.equal((await send(padded(14 * 1024))).status, 200);
  for (const length of [17, 40, 200]) {
    const answer = await send(padded(length * 1024));
    assertS3Error(answer, 400, 'RequestHeaderSectionTooLarge');
    assert.equal(answer.headers.connection, 'close');
  }
  const long = await exchange(
    s3.endpoint,
    `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
  );
  assertS3Error(parseAnswer(long), 400, 'RequestHeaderSectionTooLarge');
});

test('user metadata has up to 2 KB, names and values together', async () => {
  const meta = (length: number): readonly Header[] => [
    ['x-amz-meta-a', 'x'.repeat(1000)],
    ['x-amz-meta-bc', 'y'.repeat(length - 1003)],
  ];
  await put('meta', meta(2048));
  const { headers } = await ask(`HEAD /${bucket}/meta`);
  assert.equal(headers['x-amz-meta-bc']?.length, 1045);
  const answer = await ask(`PUT /${bucket}/refused`, meta(2049), 'x');
  assertFacts(answer, 400, 'MetadataTooLarge', { Size: '2049', MaxSizeAllowed: '2048' });
  assertS3Error(await ask(`POST /${bucket}/refused?uploads`, meta(2049)), 400, 'MetadataTooLarge');
  assert.deepEqual(await keysOf(ann), ['meta']);
  await ask(`DELETE /${bucket}/meta`);
});

test('names of metadata come back in lower case, values as the bytes they were', async () => {
  const utf8 = Buffer.from('Grüße 🐈').toString('latin1');
  const sent: readonly Header[] = [
    ['X-Amz-Meta-MiXed', 'Value'],
    ['x-amz-meta-utf8', utf8],
    ['x-amz-meta-latin1', 'caf\u00e9'],
    ['x-amz-meta-quoted', '"a, b"'],
    ['x-amz-meta-empty', ''],
    ['x-amz-meta-__proto__', 'p'],
    ['x-amz-meta-constructor', 'c'],
  ];
  await put('metadata', sent);
  for (const method of ['GET', 'HEAD']) {
    const { headers } = await ask(`${method} /${bucket}/metadata`);
    for (const [name, value] of sent) {
      assert.equal(headers[name.toLowerCase()], value, `${method} ${name}`);
    }
  }
  await ask(`DELETE /${bucket}/metadata`);
});

test('metadata in many lines is one value, joined by commas', async () => {
  await put('many', [
    ['x-amz-meta-a', 'b'],
    ['x-amz-meta-A', 'c'],
  ]);
  const { headers } = await ask(`HEAD /${bucket}/many`);
  assert.match(String(headers['x-amz-meta-a']), /^b, ?c$/);
  await ask(`DELETE /${bucket}/many`);
});

test('HTTP/1.1 names its host, HTTP/1.0 need not', async () => {
  const nameless = withHeaders(unsigned({ route: 'GET /' }), { host: undefined });
  assertFacts(await send(nameless), 400, 'MissingSecurityHeader', { MissingHeaderName: 'host' });
  assertS3Error(await send({ ...nameless, version: 'HTTP/1.0' }), 403, 'AccessDenied');
  await put('old');
  const old = signed(ann, { route: `GET /${bucket}/old` });
  assert.equal((await send({ ...old, version: 'HTTP/1.0' })).text, 'x');
  await ask(`DELETE /${bucket}/old`);
});

test('what is not HTTP gets an error of S3, and the connection ends', async () => {
  for (const text of [
    'garbage\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'GET / HTTP/9.9\r\nhost: x\r\n\r\n',
    'get / HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET /a\0b HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET /\u00c3\u00a9 HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET / HTTP/1.1\r\nhost x\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: x\r\nbad header: y\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: x\r\na: b\rc\r\n\r\n',
    'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\nhello',
    'PUT /b/k HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\nhello',
    'PUT /b/k HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ]) {
    const answer = parseAnswer(await exchange(s3.endpoint, text));
    assertS3Error(answer, 400, 'BadRequest');
    assert.equal(answer.headers.connection, 'close', text);
    assertNamed(answer, text);
  }
});

test('a tunnel is refused in words, for the connection and not for the bytes behind', async () => {
  const text = 'CONNECT example.test:443 HTTP/1.1\r\nhost: example.test:443\r\n\r\nhello';
  const answer = parseAnswer(await exchange(s3.endpoint, text));
  assertFacts(answer, 405, 'MethodNotAllowed', { Method: 'CONNECT' });
  assert.equal(answer.headers.connection, 'close');
  assertNamed(answer, text);
});

test('a coding of the transfer other than chunked is not implemented', async () => {
  for (const coding of ['gzip, chunked', 'deflate, chunked']) {
    const message = withHeaders(signed(ann, { route: `PUT /${bucket}/refused` }), {
      'content-length': undefined,
      'transfer-encoding': coding,
    });
    const answer = await send({ ...message, body: Buffer.from('5\r\nhello\r\n0\r\n\r\n') });
    assertFacts(answer, 501, 'NotImplemented', { Header: 'Transfer-Encoding' });
  }
  assert.deepEqual(await keysOf(ann), []);
});

test('a request with two hosts is refused, whichever was signed', async () => {
  const text = 'GET / HTTP/1.1\r\nhost: a\r\nHost: b\r\nconnection: close\r\n\r\n';
  assertS3Error(parseAnswer(await exchange(s3.endpoint, text)), 400, 'BadRequest');
});

test('metadata of several lines is joined with a comma alone', async () => {
  await put('joined', [
    ['x-amz-meta-list', 'one'],
    ['x-amz-meta-list', 'two, three'],
    ['X-Amz-Meta-List', 'four'],
    ['x-amz-meta-single', 'a, b'],
  ]);
  const { headers } = await ask(`HEAD /${bucket}/joined`);
  assert.equal(headers['x-amz-meta-list'], 'one,two, three,four');
  assert.equal(headers['x-amz-meta-single'], 'a, b');
});

test('a redirect that is none is named so, and listings name their region', async () => {
  const wrong = ['x-amz-website-redirect-location', 'elsewhere'] as const;
  assertS3Error(
    await ask(`PUT /${bucket}/redirected`, [wrong], 'x'),
    400,
    'InvalidRedirectLocation',
  );
  for (const query of ['', 'list-type=2', 'versions', 'uploads']) {
    const { headers } = await ask(`GET /${bucket}?${query}`);
    assert.equal(headers['x-amz-bucket-region'], 'auto', query);
  }
});

test('a key that XML cannot say is echoed with its replacement', async () => {
  const missing = await ask(`GET /${bucket}/a%01b`);
  assertFacts(missing, 404, 'NoSuchKey', { Key: 'a\ufffdb' });
});
