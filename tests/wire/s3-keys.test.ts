/** Proves the calls about S3 keys and presigned URLs, row by row of the contract. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused, type Json } from './http-client.ts';
import { type Holder, openAccount, startServer, tokenHeaders } from './service.ts';

const server = await startServer({
  LOG_LEVEL: 'trace',
  S3_PUBLIC_URL: 'https://s3.example.org',
  REGION: 'auto',
  FREE_BUCKETS: '2',
});
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

async function make(holder: Holder, body?: Json, query = ''): Promise<Json> {
  const answer = await holder.call(`POST /api/s3/keys${query}`, body);
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.headers['cache-control'], 'no-store');
  return answer.json;
}

async function keysOf(holder: Holder): Promise<readonly Json[]> {
  const answer = await holder.call('GET /api/s3/keys');
  assert.equal(answer.status, 200, answer.text);
  return answer.json['keys'] as readonly Json[];
}

test('a key comes with its secret once, and is listed without it', async () => {
  const ann = await openAccount(server, 'ann');
  const { access_key_id: id, secret, created_at: created, ...rest } = await make(ann);
  assert.match(String(id), /^[A-Z2-7]{20}$/);
  assert.match(String(secret), /^[A-Za-z0-9]{40}$/);
  assert.match(String(created), RFC3339);
  const { secret_access_key: same, ...facts } = rest;
  assert.equal(same, secret);
  const forOldClients = {
    key_name: '',
    bucket_name: ann.slug,
    bucket_id: ann.slug,
    name_prefix: '',
    capabilities: 'read,write',
    endpoint: 'https://s3.example.org',
    region: 'auto',
  };
  assert.deepEqual(facts, {
    ...{ name: null, read_only: false, bucket: null, prefix: null },
    ...forOldClients,
  });
  const keys = await keysOf(ann);
  assert.deepEqual(keys, [
    { access_key_id: id, ...facts, created_at: created, last_used_at: null, revoked_at: null },
  ]);
  const listed = await ann.call('GET /api/s3/keys');
  assert(!listed.text.includes(String(secret)));
});

test('a key is named and limited by the body, and read-only by the query too', async () => {
  const ann = await openAccount(server, 'limits');
  await ann.call('POST /api/s3/buckets', { bucket_name: 'keys-limits' });
  const body = { name: 'backup', bucket: 'keys-limits', prefix: 'a/', read_only: true };
  const made = await make(ann, body);
  const { name, bucket, prefix, read_only: readOnly } = made;
  assert.deepEqual({ name, bucket, prefix, read_only: readOnly }, body);
  const { key_name: keyName, bucket_name: bucketName, name_prefix: namePrefix } = made;
  assert.deepEqual([keyName, bucketName, namePrefix], ['backup', 'keys-limits', 'a/']);
  assert.deepEqual([made['bucket_id'], made['capabilities']], ['keys-limits', 'read']);
  assert.equal((await make(ann, {}, '?read_only=true'))['read_only'], true);
  assert.equal((await make(ann, { read_only: false }, '?read_only=1'))['read_only'], true);
  assert.equal((await make(ann, { read_only: true }, '?read_only=false'))['read_only'], true);
  assert.equal((await make(ann, { prefix: 'p' }))['bucket'], ann.slug);
  const nulls = await make(ann, { name: null, bucket: null, prefix: null });
  assert.deepEqual([nulls['name'], nulls['bucket'], nulls['prefix']], [null, null, null]);
});

test('what a key cannot be is refused, naming the field', async () => {
  const ann = await openAccount(server, 'refused');
  const bob = await openAccount(server, 'refused-bob');
  const create = (body: Json, query = '') => ann.call(`POST /api/s3/keys${query}`, body);
  assertRefused(await create({ name: 1 }), 400, 'invalid_field', { field: 'name' });
  assertRefused(await create({ name: '' }), 400, 'invalid_field', { field: 'name' });
  assertRefused(await create({ prefix: '\0' }), 400, 'invalid_field', { field: 'prefix' });
  assertRefused(await create({ read_only: 'yes' }), 400, 'invalid_field', { field: 'read_only' });
  assertRefused(await create({}, '?format=xml'), 400, 'invalid_field', { field: 'format' });
  assertRefused(await create({}, '?read_only=x'), 400, 'invalid_field', { field: 'read_only' });
  assertRefused(await create({ bucket: bob.slug }), 404, 'not_found');
  assertRefused(await create({ bucket: 'absent-bucket' }), 404, 'not_found');
  assertRefused(await create({ bucket: 'A' }), 400, 'invalid_field');
  assert.deepEqual(await keysOf(ann), []);
});

test('each format is a ready file', async () => {
  const ann = await openAccount(server, 'formats');
  const fileOf = async (format: string, body: Json = {}) => {
    const answer = await ann.call(`POST /api/s3/keys?format=${format}`, body);
    assert.equal(answer.status, 201);
    assert.match(String(answer.headers['content-type']), /^text\/plain/);
    assert.equal(answer.headers['cache-control'], 'no-store');
    const { access_key_id: id } = (await keysOf(ann)).at(-1) ?? {};
    const secret = /[=\s]([A-Za-z0-9]{40})\n/.exec(answer.text)?.[1];
    assert(secret !== undefined, answer.text);
    const text = answer.text.replaceAll(String(id), 'ID').replaceAll(secret, 'SECRET');
    return { text, disposition: answer.headers['content-disposition'] };
  };
  const env = [
    'AWS_ACCESS_KEY_ID=ID',
    'AWS_SECRET_ACCESS_KEY=SECRET',
    'AWS_DEFAULT_REGION=auto',
    'AWS_ENDPOINT_URL=https://s3.example.org',
    `PIPE_S3_BUCKET=${ann.slug}`,
    '',
  ].join('\n');
  assert.equal((await fileOf('env')).text, env);
  const agent = await fileOf('agent');
  assert.equal(
    agent.text,
    `PIPE_API_BASE=${server.url}\nPIPE_AWS_ACCESS_KEY_ID=ID\nPIPE_AWS_SECRET_ACCESS_KEY=SECRET\n${env}`,
  );
  assert.equal(agent.disposition, 'attachment; filename="pipe-agent-bundle.env"');
  assert.match((await fileOf('aws')).text, /^\[default\]\naws_access_key_id = ID\n/);
  assert.match((await fileOf('rclone')).text, /^\[pipe\]\ntype = s3\nprovider = Other\n/);
  const json = await make(ann, {}, '?format=json');
  assert.deepEqual(
    [json['endpoint'], json['region'], json['default_bucket']],
    ['https://s3.example.org', 'auto', ann.slug],
  );
  assert.match(String(json['secret']), /^[A-Za-z0-9]{40}$/);
  await ann.call('POST /api/s3/buckets', { bucket_name: 'keys-formats' });
  const limited = await fileOf('env', { bucket: 'keys-formats' });
  assert.match(limited.text, /^PIPE_S3_BUCKET=keys-formats$/m);
});

test('a revoked key says when, revoking it again changes nothing', async () => {
  const ann = await openAccount(server, 'revoke');
  const bob = await openAccount(server, 'revoke-bob');
  const { access_key_id: id } = await make(ann);
  assertRefused(await bob.call(`DELETE /api/s3/keys/${id}`), 404, 'not_found');
  assert.equal((await keysOf(ann))[0]?.['revoked_at'], null);
  const revoked = await ann.call(`DELETE /api/s3/keys/${id}`);
  assert.deepEqual([revoked.status, revoked.json], [200, { revoked: true }]);
  const at = (await keysOf(ann))[0]?.['revoked_at'];
  assert.match(String(at), RFC3339);
  assert.equal((await ann.call(`DELETE /api/s3/keys/${id}`)).status, 200);
  assert.equal((await keysOf(ann))[0]?.['revoked_at'], at);
  for (const unknown of ['A'.repeat(20), 'x', '%00', 'a%2Fb']) {
    assertRefused(await ann.call(`DELETE /api/s3/keys/${unknown}`), 404, 'not_found');
  }
});

test('an S3 key is no credential of this API', async () => {
  const ann = await openAccount(server, 'nocredential');
  const { access_key_id: id, secret } = await make(ann);
  for (const text of [`${secret}`, `${id}`, `${id}:${secret}`]) {
    for (const headers of [
      { authorization: `ApiKey ${text}` },
      { authorization: `Bearer ${text}` },
      { 'x-api-key': text },
    ]) {
      assert.equal((await server.call('GET /user/me', undefined, headers)).status, 401);
    }
  }
});

test('a URL is signed for the default bucket, path-style, an hour long', async () => {
  const ann = await openAccount(server, 'presign');
  const presign = (body: Json) => ann.call('POST /api/s3/presign', body);
  assertRefused(await presign({ method: 'GET' }), 409, 'no_s3_key');
  const { access_key_id: id } = await make(ann);
  const made = await presign({ method: 'GET', key: 'a b/ü' });
  assert.equal(made.status, 200, made.text);
  assert.equal(made.headers['cache-control'], 'no-store');
  const { url, ...rest } = made.json;
  assert.deepEqual(rest, {
    method: 'GET',
    bucket: ann.slug,
    key: 'a b/ü',
    expires_secs: 3600,
    access_key_id: id,
    read_only: false,
    region: 'auto',
  });
  const { origin, pathname, searchParams } = new URL(String(url));
  assert.deepEqual([origin, pathname], ['https://s3.example.org', `/${ann.slug}/a%20b/%C3%BC`]);
  assert.equal(searchParams.get('X-Amz-Algorithm'), 'AWS4-HMAC-SHA256');
  assert.equal(searchParams.get('X-Amz-Expires'), '3600');
  assert.equal(searchParams.get('X-Amz-SignedHeaders'), 'host');
  assert(searchParams.get('X-Amz-Credential')?.startsWith(`${id}/`));
  assert.match(String(searchParams.get('X-Amz-Signature')), /^[0-9a-f]{64}$/);
});

test('a URL is for what was asked, or is refused by field', async () => {
  const ann = await openAccount(server, 'presign-options');
  const presign = (body: Json) => ann.call('POST /api/s3/presign', body);
  await make(ann);
  const readOnly = await make(ann, { read_only: true });
  const { json } = await presign({
    method: 'put',
    bucket: 'other-bucket',
    query: { uploads: '', prefix: 'a&b' },
    expires_secs: 604_800,
    access_key_id: readOnly['access_key_id'],
    region: 'eu-west-1',
    endpoint: 'http://192.168.0.2:9000/',
    virtual_hosted: false,
  });
  const url = new URL(String(json['url']));
  assert.equal(url.origin + url.pathname, 'http://192.168.0.2:9000/other-bucket');
  assert.deepEqual([url.searchParams.get('uploads'), url.searchParams.get('prefix')], ['', 'a&b']);
  assert.match(String(url.searchParams.get('X-Amz-Credential')), /\/eu-west-1\/s3\/aws4_request$/);
  assert.deepEqual(
    [json['method'], json['key'], json['read_only'], json['expires_secs']],
    ['PUT', null, true, 604_800],
  );
  for (const [field, body] of [
    ['method', {}],
    ['method', { method: 'PATCH' }],
    ['bucket', { method: 'GET', bucket: 'A' }],
    ['expires_secs', { method: 'GET', expires_secs: 0 }],
    ['expires_secs', { method: 'GET', expires_secs: 604_801 }],
    ['expires_secs', { method: 'GET', expires_secs: '60' }],
    ['region', { method: 'GET', region: 'a/b' }],
    ['endpoint', { method: 'GET', endpoint: 's3.example.org' }],
    ['endpoint', { method: 'GET', endpoint: 'https://s3.example.org/path' }],
    ['endpoint', { method: 'GET', endpoint: 'ftp://s3.example.org' }],
    ['virtual_hosted', { method: 'GET', virtual_hosted: true }],
    ['query', { method: 'GET', query: { 'X-Amz-Signature': 'x' } }],
    ['query.a', { method: 'GET', query: { a: 1 } }],
  ] as const) {
    assertRefused(await presign(body), 400, 'invalid_field', { field });
  }
  assertRefused(await presign({ method: 'GET', key: '' }), 400, 'invalid_file_name');
  assertRefused(await presign({ method: 'GET', access_key_id: 'x' }), 404, 'not_found');
});

test('the machine’s operator makes, lists and revokes keys of any account', async () => {
  const ann = await openAccount(server, 'operated');
  const made = await server.admin.createS3Key('operated', { name: 'ops', prefix: 'p' });
  assert.deepEqual(
    [made.bucket, made.endpoint, made.region, made.api_url],
    [ann.slug, 'https://s3.example.org', 'auto', server.url],
  );
  const { keys } = await server.admin.listS3Keys('operated');
  assert.deepEqual(
    keys.map(({ access_key_id: id, name }) => [id, name]),
    [[made.access_key_id, 'ops']],
  );
  await server.admin.revokeS3Key(made.access_key_id);
  assert.notEqual((await keysOf(ann))[0]?.['revoked_at'], null);
  const { entries } = await server.admin.listAudit({ account: 'operated', limit: 2 });
  assert.deepEqual(
    entries.map(({ action, actor, subject }) => [action, actor, subject]),
    [
      ['s3_key.revoked', 'admin', made.access_key_id],
      ['s3_key.created', 'admin', made.access_key_id],
    ],
  );
});

test('no secret, and no signed URL, is in the log', async () => {
  const ann = await openAccount(server, 'logged');
  const { secret } = await make(ann);
  const file = (await ann.call('POST /api/s3/keys?format=env')).text;
  const signed = await ann.call('POST /api/s3/presign', { method: 'GET', key: 'private-name' });
  const signature = new URL(String(signed.json['url'])).searchParams.get('X-Amz-Signature');
  const { secret: given } = await server.admin.createS3Key('logged', {});
  const token = await tokenHeaders(server, ann, ['files:read']);
  assertRefused(await server.call('POST /api/s3/keys', {}, token), 403, 'missing_scope');
  const text = server.lines.join('');
  const fromFile = /SECRET_ACCESS_KEY=(\S+)/.exec(file)?.[1];
  for (const hidden of [secret, fromFile, signature, given, 'private-name']) {
    assert(String(hidden).length > 8 && !text.includes(String(hidden)));
  }
});

test('a client is told where the gateway is and which bucket is its own', async () => {
  const ann = await openAccount(server, 'site');
  const answer = await ann.call('GET /api/s3/info');
  assert.deepEqual(answer.json, {
    endpoint: 'https://s3.example.org',
    region: 'auto',
    bucket_name: ann.slug,
  });
});
