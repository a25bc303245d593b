/**
 * Proves that no request line, query, header or body makes S3 fail, hang or crash: random ones,
 * good ones that are changed before or after they are signed, cut bodies, chunks and documents.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { encodePath, encodeQueryPart } from '../../../src/kit/sigv4/percent.ts';
import { encodeAwsChunked } from '../../world/aws-chunked-body.ts';
import { runsOf } from '../../world/effort.ts';
import { type Answer, openSocket, parseAnswer } from '../http-client.ts';
import { startS3 } from './start-s3.ts';
import {
  deliver,
  factOf,
  type Header,
  headOf,
  type Message,
  signed,
  unsigned,
  withBody,
  withHeaders,
} from './wire-request.ts';

const s3 = await startS3({ FREE_STORAGE_BYTES: '20000000', FREE_BUCKETS: '3' });
const ann = await s3.openHolder('ann');
const { bucket } = ann;
const PROPERTY = { numRuns: runsOf({ short: 500, long: 20_000 }), endOnFailure: true } as const;
/** Of a server that says nothing and keeps the connection. */
const HANG_MS = 10_000;
let uploadId = '';

before(async () => {
  await ann.raw.expectDone({ method: 'PUT', bucket, key: 'kept', body: 'kept' });
  const query = [['uploads', '']] as const;
  const opened = await ann.raw.expectDone({ method: 'POST', bucket, key: 'part', query });
  uploadId = factOf({ text: opened.text }, 'UploadId') ?? '';
});

/** An answer that a client can act on: never our fault, and an error only in S3's form. */
function assertSane(answer: Answer, what: string): void {
  const { status, text, headers } = answer;
  const isDone = (status >= 200 && status < 300) || status === 304;
  assert(isDone || (status >= 400 && status < 500) || status === 501, `${what}: ${status} ${text}`);
  assert.match(String(headers['x-amz-request-id']), /^[0-9A-Z]{16}$/, what);
  if (isDone || text === '') return;
  assert.match(text, /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<Error><Code>\w+<\/Code>/, what);
  assert(!hasControls(text), what);
}

/** What no XML may hold. */
const hasControls = (text: string) =>
  [...text].some((letter) => letter < ' ' && !'\t\n\r'.includes(letter));

/** Sends bytes and ends; `undefined` where the server closed without a word. */
async function provoke(bytes: Uint8Array): Promise<Answer | undefined> {
  const socket = await openSocket(s3.endpoint);
  const chunks: Buffer[] = [];
  const text = await new Promise<string>((resolve, reject) => {
    const finish = () => resolve(Buffer.concat(chunks).toString('latin1'));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('close', finish);
    socket.once('end', finish);
    socket.setTimeout(HANG_MS, () => reject(new Error(`no end: ${String(bytes)}`)));
    socket.end(bytes);
  });
  socket.destroy();
  const answer = text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  return answer === '' ? undefined : parseAnswer(answer);
}

async function provokeSanely(message: Message): Promise<void> {
  const answer = await provoke(Buffer.concat([headOf(message), message.body]));
  const what = `${message.method} ${message.target} ${JSON.stringify(message.headers)}`;
  if (answer !== undefined) assertSane(answer, `${what} ${JSON.stringify(String(message.body))}`);
}

/** Text that parsers trip over, mixed with any other. */
const nasty = fc.oneof(
  fc.constantFrom(
    ...['', '*', '..', '/', '//', '%', '%00', '\0', 'null', '-1', '0', '1', '1e309', '{}', '<x/>'],
    ...['__proto__', 'constructor', 'bytes=0-', 'bytes=-', 'bytes=9-1', '"', 'W/"', ',', ';', '='],
    ...['&', 'true', 'NaN', '9'.repeat(30), 'x'.repeat(1025), '\ud800', '\uFEFF', '🐈', 'kept'],
    ...['10000', '10001', '2', 'url', 'ENABLED', 'COPY', 'REPLACE', 'CRC32', 'SHA256', 'a=b&c=d'],
    ...['aws-chunked', '2999-01-01T00:00:00Z', 'Thu, 01 Jan 2026 00:00:00 GMT', 'AAAAAA=='],
    ...[`${bucket}/kept`, `/${bucket}/kept?versionId=null`, '\r', '\n', ' ', '\t', '\u00e9'],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer().map(String),
);

const PARAMETERS = [
  ...['acl', 'attributes', 'cors', 'delete', 'lifecycle', 'location', 'logging', 'notification'],
  ...['object-lock', 'partNumber', 'policy', 'tagging', 'uploadId', 'uploads', 'versionId'],
  ...['versioning', 'versions', 'list-type', 'prefix', 'delimiter', 'marker', 'max-keys'],
  ...['continuation-token', 'start-after', 'fetch-owner', 'encoding-type', 'key-marker'],
  ...['upload-id-marker', 'version-id-marker', 'max-uploads', 'max-parts', 'part-number-marker'],
  ...['max-buckets', 'bucket-region', 'x-id', 'response-content-type', 'response-expires'],
  ...['requestPayment', 'select', 'restore', 'torrent', 'website', 'encryption', 'legal-hold'],
];
const HEADERS = [
  ...['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'],
  ...['content-type', 'content-md5', 'content-encoding', 'cache-control', 'expires', 'origin'],
  ...['x-amz-acl', 'x-amz-grant-read', 'x-amz-storage-class', 'x-amz-tagging', 'x-amz-meta-a'],
  ...['x-amz-copy-source', 'x-amz-copy-source-range', 'x-amz-copy-source-if-match'],
  ...['x-amz-metadata-directive', 'x-amz-tagging-directive', 'x-amz-checksum-mode'],
  ...['x-amz-checksum-crc32', 'x-amz-checksum-sha256', 'x-amz-checksum-type', 'x-amz-trailer'],
  ...['x-amz-checksum-algorithm', 'x-amz-sdk-checksum-algorithm', 'x-amz-object-attributes'],
  ...['x-amz-max-parts', 'x-amz-part-number-marker', 'x-amz-mp-object-size'],
  ...['x-amz-decoded-content-length', 'x-amz-server-side-encryption', 'x-amz-mfa'],
  ...['x-amz-expected-bucket-owner', 'x-amz-website-redirect-location', 'x-amz-security-token'],
  ...['x-amz-bucket-object-lock-enabled', 'accept-encoding', 'x-forwarded-host', 'cookie'],
];
const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'];

const path = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '/',
      `/${bucket}`,
      `/${bucket}/`,
      `/${bucket}/kept`,
      `/${bucket}/part`,
    ),
  },
  { weight: 2, arbitrary: nasty.map((text) => `/${bucket}/${encodePath(text)}`) },
  { weight: 1, arbitrary: nasty.map((text) => `/${encodePath(text)}`) },
  {
    weight: 1,
    arbitrary: nasty.map((text) => `/${bucket}/${text}`.replace(/[^\x21-\x7e]/g, '%')),
  },
);

const parameter = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(...PARAMETERS), nasty)
      .map(([name, value]) =>
        name === 'uploadId' && value.length === 1
          ? `${name}=${uploadId}`
          : `${name}=${encodeQueryPart(value)}`,
      ),
  },
  { weight: 1, arbitrary: nasty.map((text) => `${encodeQueryPart(text)}=x`) },
  { weight: 1, arbitrary: nasty.map((text) => text.replace(/[^\x21-\x7e]|#/g, '%')) },
);
const query = fc.array(parameter, { maxLength: 4 }).map((parameters) => parameters.join('&'));

const headers = fc
  .dictionary(
    fc.constantFrom(...HEADERS),
    nasty.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')),
    { maxKeys: 4 },
  )
  .map((record): readonly Header[] => Object.entries(record));

const DOCUMENTS = [
  '<Delete><Quiet>true</Quiet><Object><Key>a&amp;b</Key><VersionId>null</VersionId></Object></Delete>',
  '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>',
  '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><MaxAgeSeconds>5</MaxAgeSeconds></CORSRule></CORSConfiguration>',
  '<CreateBucketConfiguration><LocationConstraint>auto</LocationConstraint></CreateBucketConfiguration>',
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"x"</ETag></Part></CompleteMultipartUpload>',
  '<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE a [<!ENTITY b "c">]><Tagging>&b;</Tagging>',
];
const SNIPPETS = ['<', '>', '&', '&#0;', '&#xD800;', '<![CDATA[', ']]>', '<!--', '\0', '\xff', '"'];

/** A document that was changed in some places. */
const document = fc
  .tuple(
    fc.constantFrom(...DOCUMENTS),
    fc.array(
      fc.tuple(fc.nat(), fc.nat(20), fc.oneof(fc.constantFrom(...SNIPPETS, ...DOCUMENTS), nasty)),
      { maxLength: 3 },
    ),
  )
  .map(([text, changes]) =>
    changes.reduce((changed, [at, length, put]) => {
      const start = at % (changed.length + 1);
      return changed.slice(0, start) + put + changed.slice(start + length);
    }, text),
  );

const body = fc.oneof(
  fc.constant(''),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  document.map((text) => Buffer.from(text)),
);

test('no request, signed or not, makes a fault', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        method: fc.constantFrom(...METHODS, 'GET', 'GET', 'PUT', 'PUT', 'POST'),
        path,
        query,
        headers,
        body,
        payloadHash: fc.constantFrom(
          ...Array.from({ length: 8 }, () => undefined),
          ...['UNSIGNED-PAYLOAD', 'x', '0'.repeat(64), 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
        ),
        isSigned: fc.constantFrom(true, true, true, true, true, false),
      }),
      async ({ method, path: target, query: asked, payloadHash, isSigned, ...rest }) => {
        // The bucket that the others need stays.
        const isBucket = target === `/${bucket}` || target === `/${bucket}/`;
        const kind = method === 'DELETE' && isBucket ? 'GET' : method;
        const wanted = { route: `${kind} ${target}?${asked}`, ...rest };
        const hashed = payloadHash === undefined ? {} : { payloadHash };
        const message = isSigned ? signed(ann, { ...wanted, ...hashed }) : unsigned(wanted);
        await provokeSanely(message);
      },
    ),
    PROPERTY,
  );
});

test('no change of a signed request makes a fault', async () => {
  const good = [
    () => signed(ann, { route: `GET /${bucket}?list-type=2&prefix=k&max-keys=2&delimiter=/` }),
    () =>
      signed(ann, { route: `PUT /${bucket}/changed`, headers: [['x-amz-meta-a', 'b']], body: 'x' }),
    () => signed(ann, { route: `GET /${bucket}/kept`, headers: [['range', 'bytes=0-1']] }),
    () =>
      signed(ann, { route: `PUT /${bucket}/part?partNumber=1&uploadId=${uploadId}`, body: 'x' }),
    () => chunked({ form: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }),
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      async (make, changes) => {
        const message = make();
        const bytes = Buffer.concat([headOf(message), message.body]);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const answer = await provoke(bytes);
        if (answer !== undefined) assertSane(answer, JSON.stringify(bytes.toString('latin1')));
      },
    ),
    PROPERTY,
  );
});

type Chunked = { readonly form: string; readonly chunks?: readonly Uint8Array[] };

function chunked({ form, chunks = [Buffer.from('hello '), Buffer.from('world')] }: Chunked) {
  const isTrailing = form.endsWith('TRAILER');
  const message = signed(ann, {
    route: `PUT /${bucket}/chunked`,
    payloadHash: form,
    headers: [
      ['x-amz-decoded-content-length', `${Buffer.concat([...chunks]).length}`],
      ...(isTrailing ? [['x-amz-trailer', 'x-amz-checksum-crc32'] as const] : []),
    ],
  });
  const signatures = form.includes('UNSIGNED') ? undefined : message.chain;
  const trailers = isTrailing ? ([['x-amz-checksum-crc32', 'DUoRhQ==']] as const) : [];
  return withBody(message, encodeAwsChunked({ chunks, signatures, trailers }));
}

test('no cut or changed stream of chunks makes a fault, or is stored unless it is whole', async () => {
  const pieces = [
    '\r\n',
    '\n',
    '0\r\n',
    'b\r\n',
    ';chunk-signature=',
    'x-amz-checksum-crc32:',
    '\0',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        ...['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'],
        'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      ),
      fc.array(fc.tuple(fc.nat(), fc.nat(30), fc.oneof(fc.constantFrom(...pieces), nasty)), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.constantFrom('whole', 'cut', 'outer'),
      async (form, changes, way) => {
        const message = chunked({ form });
        let text = Buffer.from(message.body).toString('latin1');
        for (const [at, length, put] of changes) {
          const start = at % (text.length + 1);
          text = text.slice(0, start) + put + text.slice(start + length);
        }
        const bytes = Buffer.from(text, 'latin1');
        const sent = wayOf(message, bytes, way);
        await provokeSanely(sent);
        const { text: stored } = await deliver(
          s3.endpoint,
          signed(ann, { route: `GET /${bucket}/chunked` }),
        );
        assert(stored === 'hello world' || stored.includes('<Code>NoSuchKey</Code>'), stored);
      },
    ),
    PROPERTY,
  );
});

/** The bytes with their length, with one that is longer, or in chunks of HTTP's own. */
function wayOf(message: Message, bytes: Buffer, way: string): Message {
  if (way === 'whole') return withBody(message, bytes);
  if (way === 'cut') {
    return { ...withHeaders(message, { 'content-length': `${bytes.length + 9}` }), body: bytes };
  }
  const body = Buffer.concat([
    ...[Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n0\r\n\r\n')],
  ]);
  const outer = { 'content-length': undefined, 'transfer-encoding': 'chunked' };
  return { ...withHeaders(message, outer), body };
}

test('no document makes a fault, and none expands an entity', async () => {
  const routes = [
    ...[`POST /${bucket}?delete`, `PUT /${bucket}?tagging`, `PUT /${bucket}?cors`],
    ...[`PUT /${bucket}/kept?tagging`, `PUT /${bucket}`, `PUT /${bucket}?acl`],
    ...[`PUT /${bucket}?versioning`, `POST /${bucket}/part?uploadId=UPLOAD`],
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...routes),
      document,
      fc.boolean(),
      async (route, text, isMd5) => {
        const content = Buffer.from(text);
        const digest = hash('md5', content, 'base64');
        await provokeSanely(
          signed(ann, {
            route: route.replace('UPLOAD', uploadId),
            headers: isMd5 ? [['content-md5', digest]] : [],
            body: content,
          }),
        );
      },
    ),
    PROPERTY,
  );
});

test('no bytes that come in place of HTTP make a fault', async () => {
  const line = fc.tuple(
    fc.constantFrom(...METHODS, 'get', '', 'X', 'GET '),
    fc.oneof(path, nasty),
    fc.constantFrom('HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.1 ', ''),
  );
  const field = fc.tuple(fc.oneof(fc.constantFrom('host', ...HEADERS), nasty), nasty);
  await fc.assert(
    fc.asyncProperty(line, fc.array(field, { maxLength: 4 }), body, async (first, fields, more) => {
      const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const head = Buffer.from(`${first.join(' ')}\r\n${lines}\r\n`, 'latin1');
      const answer = await provoke(Buffer.concat([head, Buffer.from(more)]));
      if (answer !== undefined) assertSane(answer, JSON.stringify(head.toString('latin1')));
    }),
    PROPERTY,
  );
});

test('after all of it the server serves, and logged no fault', async () => {
  await ann.raw.expectDone({ method: 'PUT', bucket, key: 'after', body: 'after' });
  const { text } = await ann.raw.expectDone({ method: 'GET', bucket, key: 'after' });
  assert.equal(text, 'after');
  const faults = s3.lines.filter((line) => line.includes('"level":"error"'));
  assert.deepEqual(faults, []);
});
