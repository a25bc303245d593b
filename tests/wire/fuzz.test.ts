/** Proves that no query, header, path or body that a client can send makes a 500 or a hang. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { runsOf } from '../world/effort.ts';
import { type Answer, call as callUrl, parseAnswer, provoke } from './http-client.ts';
import { openAccount, startServer } from './service.ts';

const server = await startServer({ FREE_STORAGE_BYTES: '2000000' });
const ann = await openAccount(server, 'ann');
const ROUNDS = runsOf({ short: 1000, long: 20_000 });
let link = '';
let hash = '';

before(async () => {
  await ann.upload('seed.txt', '0123456789');
  const made = await ann.call('POST /createPublicLink', { file_name: 'seed.txt', password: 'p' });
  link = String(made.json['link_hash']);
  hash = String((await ann.call('GET /checkUploadStatus?file_name=seed.txt')).json['content_hash']);
});

/** Text that parsers trip over, mixed with any other. */
const nasty = fc.oneof(
  fc.constantFrom(
    ...['', '*', '..', '/', '//', '%', '%00', '\0', 'null', '-1', '1e309', '{}', '[]', 'seed.txt'],
    ...[
      '__proto__',
      'constructor',
      'toString',
      'bytes=0-',
      'bytes=-',
      '"',
      'W/"',
      ',',
      ';',
      '=',
      '&',
    ],
    ...[
      'true',
      'NaN',
      '9'.repeat(30),
      'x'.repeat(1025),
      '\ud800',
      '\uFEFF',
      '🐈',
      '2999-01-01T00:00:00Z',
    ],
  ),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
);

const NAMES = [
  ...[
    'file_name',
    'new_file_name',
    'tier',
    'operation_id',
    'prefix',
    'delimiter',
    'limit',
    'cursor',
  ],
  ...[
    'hash',
    'preview',
    'overwrite',
    'custom_title',
    'custom_description',
    'expires_at',
    'password',
  ],
  ...['link_hash', 'wallet_public_key', 'nonce', 'message', 'signature_b64', 'refresh_token'],
  ...['username', 'user_id', 'user_app_key', 'new_password', 'deterministic_urls', 'version'],
];

const ROUTES = [
  ...['POST /upload', 'POST /priorityUpload', 'GET /checkUploadStatus', 'GET /download-stream'],
  ...['HEAD /download-stream', 'GET /download', 'HEAD /download', 'POST /deleteFile'],
  ...['POST /renameFile', 'GET /files', 'POST /createPublicLink', 'POST /deletePublicLink'],
  ...['GET /publicLinks', 'GET /publicDownload', 'HEAD /publicDownload', 'POST /publicDownload'],
  ...['GET /getTierPricing', 'GET /user/me', 'PATCH /user/me', 'POST /auth/siws/challenge'],
  ...['POST /auth/siws/verify', 'POST /auth/refresh', 'POST /users', 'POST /auth/set-password'],
  ...[
    'POST /auth/login',
    'GET /health',
    'GET /ready',
    'GET /version',
    'GET /',
    'GET /openapi.yaml',
  ],
];

/**
 * A field's value escaped as it must be, or left as it is with what cannot stand in a path dropped.
 */
const query = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES), nasty), nasty, fc.boolean()), {
    maxLength: 4,
  })
  .map((fields) =>
    fields
      .map(([name, value, isRaw]) =>
        isRaw
          ? `${name}=${value}`.replace(/[^\x21-\x7e]/g, '%')
          : `${escapeBytes(name)}=${escapeBytes(value)}`,
      )
      .join('&'),
  );

function escapeBytes(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
}

const HEADERS = [
  ...['range', 'if-range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'],
  ...['content-type', 'accept', 'cookie', 'x-link-password', 'x-csrf-token', 'origin'],
  ...['access-control-request-method', 'x-forwarded-for', 'x-api-key', 'payment-signature'],
];

const headers = fc.dictionary(
  fc.constantFrom(...HEADERS),
  nasty.map((text) => text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')),
  { maxKeys: 3 },
);

const body = fc.oneof(
  fc.constant(undefined),
  fc.uint8Array({ maxLength: 200 }),
  nasty,
  fc
    .dictionary(
      fc.oneof(fc.constantFrom(...NAMES), nasty),
      fc.oneof(nasty, fc.jsonValue({ maxDepth: 3 })),
      { maxKeys: 5 },
    )
    .map((value) => JSON.stringify(value)),
);

/** An answer that a client can act on: never ours to blame, always in the one shape. */
function assertSane(answer: Answer, what: string): void {
  assert(answer.status >= 200 && answer.status < 500, `${what}: ${answer.status} ${answer.text}`);
  const isJson = /^application\/json/.test(String(answer.headers['content-type']));
  if (answer.status < 400 || answer.bytes.length === 0 || !isJson) return;
  for (const field of ['error', 'message', 'code', 'requestId']) {
    assert.equal(typeof answer.json[field], 'string', `${what}: ${answer.text}`);
  }
}

const PROPERTY = { numRuns: ROUNDS, endOnFailure: true } as const;

test('no query, header or body of any route makes a 500', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...ROUTES),
      query,
      headers,
      body,
      fc.boolean(),
      async (route, asked, more, sent, isKnown) => {
        const answer = await callUrl(server.url, {
          route: `${route}?${asked}`,
          headers: { ...(isKnown ? ann.headers : {}), ...more },
          ...(sent === undefined || route.startsWith('GET') ? {} : { body: sent }),
        });
        assertSane(answer, `${route}?${asked}`);
      },
    ),
    PROPERTY,
  );
});

test('no change of a good request makes a 500', async () => {
  const good = [
    () => ['GET', '/download-stream?file_name=seed.txt'],
    () => ['GET', '/files?prefix=s&delimiter=/&limit=2'],
    () => ['GET', `/publicDownload?hash=${link}&preview=true`],
    () => ['GET', `/${ann.slug}/${hash}`],
    () => ['POST', '/upload?file_name=other.txt&tier=normal'],
    () => ['POST', '/renameFile'],
  ] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...good),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      async (request, changes) => {
        const [method = '', path = ''] = request();
        const payload = '{"file_name":"seed.txt","new_file_name":"seed.txt"}';
        const text = `${method} ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${ann.headers.authorization}\r\nif-none-match: "x"\r\nrange: bytes=0-3\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${payload.length}\r\n\r\n${payload}`;
        const bytes = Buffer.from(text);
        // The end of the head stays: a request without an end is another test's.
        const headBytes = text.indexOf('connection: close');
        for (const [at, byte] of changes) bytes[at % headBytes] = byte;
        const answer = await provoke(server.url, bytes.toString('latin1'));
        if (answer !== '')
          assertSane(parseAnswer(answer), JSON.stringify(bytes.toString('latin1')));
      },
    ),
    PROPERTY,
  );
});

test('after all of it the server serves, and what was stored is whole', async () => {
  await ann.upload('seed.txt', '0123456789');
  assert.equal((await ann.call('GET /download-stream?file_name=seed.txt')).text, '0123456789');
  const faults = server.lines.filter((line) => line.includes('"level":"error"'));
  assert.deepEqual(faults, []);
});
