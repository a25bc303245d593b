/**
 * Proves that no parameter is dropped: each that S3's public model has for an operation that is
 * served stands in its table; each that is refused is refused at the wire, with nothing changed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATIONS } from '../../../src/dialects/s3/operations/operation-table.ts';
import { ANYWHERE } from '../../../src/dialects/s3/parameters/header-groups.ts';
import type { ParameterRules } from '../../../src/dialects/s3/parameters/parameter-rules.ts';
import { PARAMETERS } from '../../../src/dialects/s3/parameters/parameter-table.ts';
import { S3_CODES } from '../../../src/dialects/s3/wire/s3-codes.ts';
import { findPython } from '../../world/python.ts';
import { findS3Inputs } from '../../world/s3-service-model.ts';
import { type Ask, codeOf, md5Header, objectCalls, textOf } from './object-calls.ts';
import { fileOf, formBody, partsOf, post, signedFields } from './post-form.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const holder = await s3.openHolder('parameters');
await s3.admin.changeLimits(holder.account, { buckets: 3 });
const calls = objectCalls(holder);
const inputs = findPython() === undefined ? undefined : findS3Inputs();
const skip =
  inputs === undefined ? 'the Python environment with botocore could not be made' : false;

const knownOf = ({ honoured, harmless, refused }: ParameterRules): ReadonlySet<string> =>
  new Set([...honoured, ...harmless, ...Object.keys(refused)]);

const EMPTY_BUCKET = `${calls.bucket}-empty`;
const NEW_BUCKET = `${calls.bucket}-new`;
await calls.put('object', 'kept', { 'x-amz-tagging': 'a=b' });
await holder.raw.expectDone({ method: 'PUT', bucket: EMPTY_BUCKET });
const uploadId = await calls.begin('parts');
const kept = await calls.send('parts', uploadId, { number: 1, body: 'kept' });

const TAGGING = '<Tagging><TagSet><Tag><Key>c</Key><Value>d</Value></Tag></TagSet></Tagging>';
const CORS =
  '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>';
const DELETE = '<Delete><Object><Key>object</Key></Object></Delete>';
const COMPLETE = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${kept.etag}</ETag></Part></CompleteMultipartUpload>`;
const ACL = (await calls.ask('GET', undefined, { query: { acl: '' } })).text;

/** What would change something, if it were served; by default just what the table says. */
const ASKED: Readonly<Record<string, Ask & { readonly key?: string; readonly bucket?: string }>> = {
  CreateBucket: {
    bucket: NEW_BUCKET,
    body: '<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>',
  },
  DeleteBucket: { bucket: EMPTY_BUCKET },
  PutBucketTagging: { body: TAGGING },
  PutObjectTagging: { body: TAGGING },
  PutBucketCors: { body: CORS },
  PutBucketAcl: { body: ACL },
  PutObjectAcl: { body: ACL },
  DeleteObjects: { body: DELETE, headers: md5Header(DELETE) },
  PutObject: { body: 'other' },
  CopyObject: { headers: { 'x-amz-copy-source': `${calls.bucket}/object` }, key: 'copied' },
  UploadPart: { key: 'parts', query: { partNumber: '1', uploadId }, body: 'other' },
  UploadPartCopy: {
    key: 'parts',
    query: { partNumber: '2', uploadId },
    headers: { 'x-amz-copy-source': `${calls.bucket}/object` },
  },
  ListParts: { key: 'parts', query: { uploadId } },
  CompleteMultipartUpload: { key: 'parts', query: { uploadId }, body: COMPLETE },
  AbortMultipartUpload: { key: 'parts', query: { uploadId } },
  GetObjectAttributes: {
    query: { attributes: '' },
    headers: { 'x-amz-object-attributes': 'ETag' },
  },
  ListObjectsV2: { query: { 'list-type': '2' } },
};

const SERVED = Object.keys(PARAMETERS) as (keyof typeof PARAMETERS)[];

async function askedFor(operation: keyof typeof PARAMETERS, also: Ask) {
  const { method, on, parameter } = OPERATIONS[operation];
  const asked = ASKED[operation] ?? {};
  const query = asked.query ?? (/^[A-Za-z-]+$/.test(parameter) ? { [parameter]: '' } : {});
  const body = also.body ?? asked.body;
  const digest = body !== undefined && asked.headers?.['content-md5'] ? md5Header(`${body}`) : {};
  return await holder.raw.send({
    method,
    ...(on === 'service' ? {} : { bucket: asked.bucket ?? calls.bucket }),
    ...(on === 'object' ? { key: asked.key ?? 'object' } : {}),
    query: Object.entries({ ...query, ...also.query }),
    headers: { ...asked.headers, ...digest, ...also.headers },
    ...(body === undefined ? {} : { body }),
  });
}

/** All that a write could have changed. */
async function state() {
  const ask = async (key: string | undefined, query: Ask['query']) =>
    (await calls.ask('GET', key, { query: query ?? {} })).text.replace(
      /<(RequestId|HostId)>[^<]*/g,
      '',
    );
  const { raw } = holder;
  return {
    objects: await ask(undefined, {}),
    uploads: await ask(undefined, { uploads: '' }),
    parts: await ask('parts', { uploadId }),
    tags: [await ask('object', { tagging: '' }), await ask(undefined, { tagging: '' })],
    cors: await ask(undefined, { cors: '' }),
    isEmptyThere: (await raw.send({ method: 'HEAD', bucket: EMPTY_BUCKET })).status,
    isNewThere: (await raw.send({ method: 'HEAD', bucket: NEW_BUCKET })).status,
  };
}

type Refusal = { readonly status: number; readonly code: string };

function expectedOf(rules: ParameterRules, name: string): Refusal {
  const code = Object.hasOwn(rules.refused, name) ? rules.refused[name]?.code : undefined;
  return { code: code ?? 'NotImplemented', status: S3_CODES[code ?? 'NotImplemented'].status };
}

/** Every header of the model, whichever operation it belongs to, and one of tomorrow. */
const HEADERS: readonly string[] = [
  ...new Set([
    ...Object.values(PARAMETERS).flatMap(({ headers }) => [...knownOf(headers)]),
    ...[...(inputs?.values() ?? [])].flatMap(({ headers }) => headers),
    'x-amz-of-tomorrow',
  ]),
].filter(
  (name) =>
    name.startsWith('x-amz-') &&
    name !== 'x-amz-copy-source' &&
    !ANYWHERE.prefixes.some((prefix) => name.startsWith(prefix)),
);

const before = await state();

test('the table has every parameter of the public service model', { skip }, () => {
  assert.ok((inputs?.size ?? 0) > 100, 'a model of S3');
  const missing: string[] = [];
  for (const [operation, { headers, query, elements }] of Object.entries(PARAMETERS)) {
    const of = inputs?.get(operation);
    // Forms are no operation of the model.
    if (operation !== 'PostObject') assert.ok(of !== undefined, operation);
    const anywhere = [...ANYWHERE.honoured, ...ANYWHERE.harmless];
    const known = { headers: knownOf(headers), query: knownOf(query), elements: knownOf(elements) };
    missing.push(
      ...(of?.headers ?? [])
        .filter((name) => !known.headers.has(name) && !anywhere.some((one) => one === name))
        .map((name) => `${operation} header ${name}`),
      ...(of?.query ?? [])
        .filter((name) => !known.query.has(name))
        .map((name) => `${operation} query ${name}`),
      ...(of?.elements ?? [])
        .filter((name) => !known.elements.has(name))
        .map((name) => `${operation} element ${name}`),
    );
  }
  assert.deepEqual(missing, []);
});

for (const operation of SERVED) {
  const { headers, query } = PARAMETERS[operation];
  const taken = new Set<string>([
    ...[...headers.honoured, ...headers.harmless],
    ...[...ANYWHERE.honoured, ...ANYWHERE.harmless],
  ]);
  const plain = Object.keys(headers.refused).filter((name) => !name.startsWith('x-amz-'));
  const refused = [...HEADERS.filter((name) => !taken.has(name)), ...plain];

  test(`${operation} refuses ${refused.length} headers that it does not take`, async () => {
    for (const name of refused) {
      const answer = await askedFor(operation, { headers: { [name]: '1' } });
      const { status, code } = expectedOf(headers, name);
      assert.equal(answer.status, status, `${name}: ${answer.text}`);
      if (OPERATIONS[operation].method === 'HEAD') continue;
      assert.equal(codeOf(answer), code, `${name}: ${answer.text}`);
      if (code === 'NotImplemented') assert.equal(textOf(answer.text, 'Header'), name);
    }
    assert.deepEqual(await state(), before);
  });

  test(`${operation} refuses parameters of other operations in its query`, async () => {
    const names = new Set(Object.values(PARAMETERS).flatMap((one) => [...knownOf(one.query)]));
    for (const name of ['list-type', 'partNumber', 'uploadId']) names.delete(name);
    for (const name of [...query.honoured, ...query.harmless]) names.delete(name);
    for (const name of names) {
      const answer = await askedFor(operation, { query: { [name]: '1' } });
      const { status, code } = expectedOf(query, name);
      assert.equal(answer.status, status, `${name}: ${answer.text}`);
      if (OPERATIONS[operation].method === 'HEAD') continue;
      assert.equal(codeOf(answer), code, `${name}: ${answer.text}`);
    }
    assert.deepEqual(await state(), before);
  });
}

/** A document with one more element below each of those that it has. */
function documentsWith(body: string, name: string): readonly string[] {
  const extra = `<${name}>1</${name}>`;
  const ends = [
    ...body.matchAll(/<\/(?!Key|Value|ETag|PartNumber|ID|DisplayName|Permission|Allowed)/g),
  ];
  return ends.map(({ index }) => `${body.slice(0, index)}${extra}${body.slice(index)}`);
}

for (const operation of SERVED) {
  const { elements } = PARAMETERS[operation];
  const body = ASKED[operation]?.body;
  if (elements.honoured.length === 0) continue;
  test(`${operation} refuses elements that it does not take, with nothing done`, async () => {
    const names = [
      'OfTomorrow',
      ...Object.keys(elements.refused).filter((one) => !one.includes('/')),
    ];
    for (const name of names) {
      const documents = documentsWith(String(body), name);
      assert.ok(documents.length > 0);
      for (const document of documents) {
        const answer = await askedFor(operation, { body: document });
        assertS3Error(answer, 501, 'NotImplemented');
        assert.equal(textOf(answer.text, 'Element'), name);
      }
    }
    assert.deepEqual(await state(), before);
  });
}

test('what stands in the query of a signed request means what the header does', async () => {
  const query = { 'x-amz-write-offset-bytes': '4' };
  assertS3Error(await calls.ask('PUT', 'object', { query, body: 'other' }), 501, 'NotImplemented');
  await calls.done('PUT', 'by-query', { query: { 'x-amz-tagging': 'a=b' }, body: 'b' });
  const { text } = await calls.ask('GET', 'by-query', { query: { tagging: '' } });
  assert.equal(textOf(text, 'Key'), 'a');
  await calls.done('DELETE', 'by-query');
  assert.deepEqual(await state(), before);
});

test('a field of a form means what the header of a PUT does', async () => {
  const fields = signedFields(holder, { key: 'object', 'x-amz-write-offset-bytes': '4' });
  const answer = await post(s3, holder, formBody([...partsOf(fields), fileOf('other')]));
  assertS3Error(answer, 501, 'NotImplemented');
  assert.deepEqual(await state(), before);
});

test('the tags of a form are a document like any other', async () => {
  const tagging = TAGGING.replace('</TagSet>', '<Scope>1</Scope></TagSet>');
  const fields = signedFields(holder, { key: 'object', tagging });
  const answer = await post(s3, holder, formBody([...partsOf(fields), fileOf('other')]));
  assertS3Error(answer, 501, 'NotImplemented');
  assert.equal(textOf(answer.text, 'Element'), 'Scope');
  assert.deepEqual(await state(), before);
});

test('two operations in one query are none', async () => {
  const query = { acl: '', tagging: '' };
  assertS3Error(await calls.ask('PUT', 'object', { query, body: TAGGING }), 400, 'InvalidArgument');
  assertS3Error(await calls.ask('DELETE', 'object', { query }), 400, 'InvalidArgument');
  assert.deepEqual(await state(), before);
});

test('names that S3 does not know are left alone, and an empty one asks for nothing', async () => {
  const query = { 'x-id': 'ListObjectsV2', metadata: 'true', 'list-type': '2', marker: '' };
  await calls.done('GET', undefined, { query });
  const unknown = await calls.ask('GET', 'object', { query: { 'response-x-frame': 'a' } });
  assertS3Error(unknown, 400, 'InvalidArgument');
});

test('what belongs to KMS is nothing without it', async () => {
  const encryption = 'x-amz-server-side-encryption';
  for (const name of [`${encryption}-aws-kms-key-id`, `${encryption}-context`]) {
    for (const also of [{}, { [encryption]: 'AES256' }]) {
      const asked = { headers: { [name]: 'key', ...also }, body: 'other' };
      assertS3Error(await calls.ask('PUT', 'object', asked), 400, 'InvalidArgument');
    }
  }
  const kms = { headers: { [encryption]: 'aws:kms' }, body: 'other' };
  assertS3Error(await calls.ask('PUT', 'object', kms), 501, 'NotImplemented');
  const dsse = { headers: { [encryption]: 'rot13' }, body: 'other' };
  assertS3Error(await calls.ask('PUT', 'object', dsse), 400, 'InvalidArgument');
  assert.deepEqual(await state(), before);
});
