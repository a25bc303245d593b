/** Proves that nobody reaches what is another's: in every route, by every credential. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Scope } from '../../src/core/principal.ts';
import { SCOPES } from '../../src/core/principal.ts';
import { assertRefused } from './http-client.ts';
import { type Call, openAccount, startApi, startServer, tokenHeaders } from './service.ts';

/** What a token needs for a route; `own`: only a session or the app key will do. */
type Need = Scope | 'any' | 'own' | 'session' | 'public';

type Row = {
  readonly need: Need;
  /** A second scope that it needs beside. */
  readonly also?: Scope;
  readonly query?: string;
  readonly body?: unknown;
};

/** One row a route. A route without one fails the test below. */
const ROUTES: Readonly<Record<string, Row>> = {
  'POST /auth/siws/challenge': { need: 'public' },
  'POST /auth/siws/verify': { need: 'public' },
  'POST /auth/refresh': { need: 'public' },
  'POST /auth/logout': { need: 'session' },
  'GET /auth/sessions': { need: 'session' },
  'DELETE /auth/sessions/:session_id': { need: 'session' },
  'POST /users': { need: 'public' },
  'POST /auth/set-password': { need: 'public' },
  'POST /auth/login': { need: 'public' },
  'POST /auth/change-password': {
    need: 'session',
    body: { current_password: 'x', new_password: 'correct horse' },
  },
  'POST /rotateAppKey': { need: 'own' },
  'GET /user/me': { need: 'any' },
  'PATCH /user/me': { need: 'own' },
  'POST /upload': { need: 'files:write', query: '?file_name=made', body: 'x' },
  'POST /priorityUpload': { need: 'files:write', query: '?file_name=made', body: 'x' },
  'POST /v1/upload': { need: 'files:write', query: '?file_name=made', body: 'x' },
  'GET /pop/v1/checkUploadStatus': { need: 'files:read', query: '?file_name=hers' },
  'POST /pop/v1/deleteFile': { need: 'files:delete', body: { file_name: 'hers' } },
  'GET /priorityDownload': { need: 'files:read', query: '?file_name=hers' },
  'GET /listFiles': { need: 'files:read' },
  'GET /checkUploadStatus': { need: 'files:read', query: '?file_name=hers' },
  'GET /download-stream': { need: 'files:read', query: '?file_name=hers' },
  'GET /download': { need: 'files:read', query: '?file_name=hers' },
  'POST /deleteFile': { need: 'files:delete', body: { file_name: 'hers' } },
  'POST /renameFile': {
    need: 'files:write',
    body: { file_name: 'hers', new_file_name: 'stolen' },
  },
  'GET /files': { need: 'files:read' },
  'POST /createPublicLink': {
    need: 'files:write',
    also: 'files:read',
    body: { file_name: 'hers' },
  },
  'DELETE /deletePublicLink': { need: 'files:delete', body: { link_hash: 'A'.repeat(22) } },
  'POST /deletePublicLink': { need: 'files:delete', body: { link_hash: 'A'.repeat(22) } },
  'GET /publicLinks': { need: 'files:read' },
  'GET /publicDownload': { need: 'public' },
  'GET /public/:hash': { need: 'public' },
  'POST /publicDownload': { need: 'public' },
  'GET /:account/:hash': { need: 'public' },
  'POST /api/s3/keys': { need: 's3:keys' },
  'GET /api/s3/keys': { need: 's3:keys' },
  'DELETE /api/s3/keys/:access_key_id': { need: 's3:keys' },
  'GET /api/s3/info': { need: 'own' },
  'GET /api/s3/bucket': { need: 'own' },
  'PATCH /api/s3/bucket': { need: 'own', body: { public_read: true } },
  'GET /api/s3/buckets': { need: 'own' },
  'POST /api/s3/buckets': { need: 'own', body: { bucket_name: 'strangers' } },
  'PATCH /api/s3/buckets/:name': { need: 'own' },
  'DELETE /api/s3/buckets/:name': { need: 'own' },
  'POST /api/s3/presign': { need: 'own', body: { method: 'GET' } },
  'GET /getTierPricing': { need: 'public' },
  'GET /getPriorityFee': { need: 'public' },
  'GET /health': { need: 'public' },
  'GET /ready': { need: 'public' },
  'GET /version': { need: 'public' },
  'GET /': { need: 'public' },
  'GET /openapi.json': { need: 'public' },
  'GET /openapi.yaml': { need: 'public' },
};

const server = await startServer();
const ann = await openAccount(server, 'ann');
const bob = await openAccount(server, 'bob');
const account = Object.entries(ROUTES).filter(([, { need }]) => need !== 'public');
let hash = '';
let operation = '';

before(async () => {
  operation = String((await ann.upload('hers', 'private'))['operation_id']);
  hash = String(
    (await ann.call('POST /createPublicLink', { file_name: 'hers' })).json['link_hash'],
  );
});

function use(call: Call, route: string, headers: Readonly<Record<string, string>>) {
  const { query = '', body } = ROUTES[route] ?? assert.fail(route);
  return call(`${route}${query}`, body, headers);
}

test('every route of the server has a row here, and says who may call it', async () => {
  const { api } = await startApi();
  const tree = api.printRoutes({ includeHooks: false });
  const routes = routesOf(tree).filter((route) => !/^(?:HEAD|OPTIONS) /.test(route));
  assert(routes.length > 20);
  assert.deepEqual(routes.toSorted(), Object.keys(ROUTES).toSorted());
});

/** Routes of the tree that the framework prints: each line adds a piece to the line above it. */
function routesOf(tree: string): readonly string[] {
  const pieces: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const {
      margin = '',
      piece,
      methods,
    } = /^(?<margin>[│├└─ ]*)(?<piece>\S+)(?: \((?<methods>[A-Z, ]+)\))?$/.exec(line)?.groups ?? {};
    if (piece === undefined) return [];
    pieces.length = margin.length / 4;
    pieces.push(piece);
    const path = pieces.join('');
    return methods?.split(', ').map((method) => `${method} ${path}`) ?? [];
  });
}

test('nobody gets 401 and how to sign in from every route of an account', async () => {
  for (const [route] of account) {
    for (const headers of [{}, { authorization: 'Bearer x' }, { cookie: 'session=x' }]) {
      const answer = await use(server.call, route, headers);
      assertRefused(answer, 401, 'UNAUTHORIZED', { error: 'Unauthorized' });
      assert.match(String(answer.headers['www-authenticate']), /Bearer/, route);
    }
    const answer = await use(server.call, route, { 'x-api-key': 'pft_wrong' });
    assertRefused(answer, 401, 'INVALID_API_KEY', { error: 'Unauthorized' });
    assert.match(String(answer.headers['www-authenticate']), /Bearer/, route);
  }
});

test('a token without the scope of a route is 403 missing_scope and names it', async () => {
  const rows = account.flatMap(([route, { need, also }]) =>
    also === undefined
      ? [[route, need] as const]
      : [[route, need] as const, [route, also] as const],
  );
  for (const [route, need] of rows) {
    if (need === 'any') continue;
    const others = SCOPES.filter((scope) => scope !== need);
    const headers = await tokenHeaders(server, ann, others);
    const answer = await use(server.call, route, headers);
    if (need === 'session') assertRefused(answer, 403, 'session_required');
    else {
      const required = need === 'own' ? 'session' : need;
      assertRefused(answer, 403, 'missing_scope', { required });
    }
  }
  assert.equal((await ann.call('GET /download-stream?file_name=hers')).text, 'private');
});

test('a token with just the scopes of a route may call it', async () => {
  for (const [index, [route, { need, also }]] of account.entries()) {
    if (need === 'own' || need === 'session' || need === 'public') continue;
    const holder = await openAccount(server, `holder-${index}`);
    await holder.upload('hers', 'x');
    const scopes = need === 'any' ? (['cluster:read'] as const) : [need, ...(also ? [also] : [])];
    const headers = await tokenHeaders(server, holder, scopes);
    const answer = await use(server.call, route, headers);
    const isRowOfNothing = /^\S+ \/(?:deletePublicLink|.*:access_key_id)$/.test(route);
    assert.equal(answer.status >= 400, isRowOfNothing, `${route} ${answer.text}`);
    if (isRowOfNothing) assertRefused(answer, 404, 'not_found');
    if (route === 'GET /user/me') assert.equal(answer.json['user_app_key'], undefined);
  }
});

test('what is another account’s is not found, in every call', async () => {
  for (const [route, body] of [
    ['GET /download-stream?file_name=hers', undefined],
    ['GET /download?file_name=hers', undefined],
    ['GET /priorityDownload?file_name=hers', undefined],
    ['GET /pop/v1/checkUploadStatus?file_name=hers', undefined],
    [`GET /pop/v1/checkUploadStatus?operation_id=${operation}`, undefined],
    ['POST /pop/v1/deleteFile', { file_name: 'hers' }],
    ['DELETE /deletePublicLink', { link_hash: hash }],
    ['GET /checkUploadStatus?file_name=hers', undefined],
    [`GET /checkUploadStatus?operation_id=${operation}`, undefined],
    ['POST /deleteFile', { file_name: 'hers' }],
    ['POST /renameFile', { file_name: 'hers', new_file_name: 'mine' }],
    ['POST /createPublicLink', { file_name: 'hers' }],
    ['POST /deletePublicLink', { link_hash: hash }],
  ] as const) {
    assertRefused(await bob.call(route, body), 404, 'not_found');
  }
  const head = await bob.call('HEAD /download-stream?file_name=hers');
  assert.deepEqual([head.status, head.text], [404, '']);
  assert.deepEqual((await bob.call('GET /files')).json['files'], []);
  assert.equal((await bob.call('GET /listFiles')).text, '[]');
  assert.deepEqual((await bob.call('GET /publicLinks')).json['links'], []);
  assert.equal((await server.call(`GET /publicDownload?hash=${hash}`)).text, 'private');
});

test('a cursor of another account shows nothing of it', async () => {
  await ann.upload('hers-too', 'x');
  const { next_cursor: cursor } = (await ann.call('GET /files?limit=1')).json;
  const page = await bob.call(`GET /files?cursor=${cursor}`);
  assert.deepEqual([page.status, page.json['files']], [200, []]);
});

test('two accounts hold files of one name apart', async () => {
  await bob.upload('hers', 'his own');
  assert.equal((await ann.call('GET /download-stream?file_name=hers')).text, 'private');
  assert.equal((await bob.call('GET /download-stream?file_name=hers')).text, 'his own');
  await bob.call('POST /deleteFile', { file_name: 'hers' });
  assert.equal((await ann.call('GET /download-stream?file_name=hers')).text, 'private');
});
