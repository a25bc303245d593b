/**
 * Proves that signatures are the same as those of two independent implementations, boto3's and the
 * one of the AWS SDK for JavaScript: every request that they send is verified as it stood on the
 * wire, their presigned URLs are made again, a form's policy and streamed bodies are checked.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  CopyObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { AwsChunkedDecoder } from '../../src/kit/aws-chunked/aws-chunked-decoder.ts';
import { parseCredential } from '../../src/kit/sigv4/credential-scope.ts';
import { isPolicySigned, signPolicy } from '../../src/kit/sigv4/post-policy.ts';
import { presignUrl } from '../../src/kit/sigv4/presign-url.ts';
import { parsePresignedQuery } from '../../src/kit/sigv4/presigned-query.ts';
import { signRequest } from '../../src/kit/sigv4/sign-request.ts';
import { findUnsignedHeaders } from '../../src/kit/sigv4/signed-headers.ts';
import { deriveSigningKey } from '../../src/kit/sigv4/signing-key.ts';
import { findPython } from '../world/python.ts';
import {
  headerOf,
  isSignedInHeader,
  isSignedInQuery,
  splitTarget,
  type WireRequest,
} from '../world/signed-requests.ts';
import { ODD_KEYS } from './s3/odd-keys.ts';

const ACCESS_KEY_ID = 'PFKTESTKEY0123456789';
const SECRET = 'kF/9+secret=of/the+test0123456789abcdefg';
const KEYS = ODD_KEYS.map(({ key }) => key);

type Taken = WireRequest & { readonly body: Buffer };

/** A listener that takes everything and answers nothing that matters. */
async function openListener() {
  const taken: Taken[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url: target = '', rawHeaders } = request;
    taken.push({ method, target, rawHeaders, body: await buffer(request) });
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(method === 'HEAD' ? undefined : '<?xml version="1.0"?><Result></Result>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    taken,
    host: `127.0.0.1:${port}`,
    endpoint: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function assertSigned(taken: Taken): void {
  const named = `${taken.method} ${taken.target} ${taken.rawHeaders.join(' | ')}`;
  assert(isSignedInHeader(taken, SECRET), `not verified: ${named}`);
  assert(!isSignedInHeader(taken, `${SECRET}x`), named);
  const { rawHeaders } = taken;
  const [, names = ''] = /SignedHeaders=([^,]*)/.exec(headerOf(rawHeaders, 'authorization')) ?? [];
  assert.deepEqual(findUnsignedHeaders(rawHeaders, names.split(';')), [], named);
  assertSignedAlike(taken, names.split(';'));
}

/** Signing the same headers at the same time makes the very same `Authorization`. */
function assertSignedAlike(taken: Taken, names: readonly string[]): void {
  const authorization = headerOf(taken.rawHeaders, 'authorization');
  const [, credential = ''] = /Credential=([^,]*)/.exec(authorization) ?? [];
  const own = ['x-amz-date', 'x-amz-content-sha256'];
  const signed = signRequest(
    { ...parseCredential(credential), secret: SECRET },
    {
      method: taken.method,
      ...splitTarget(taken.target),
      rawHeaders: names
        .filter((name) => !own.includes(name))
        .flatMap((name) => [name, headerOf(taken.rawHeaders, name)]),
      payloadHash: headerOf(taken.rawHeaders, 'x-amz-content-sha256'),
    },
    { atMs: msOf(headerOf(taken.rawHeaders, 'x-amz-date')) },
  );
  assert.equal(headerOf(signed.rawHeaders, 'authorization'), authorization);
}

function msOf(amzDate: string): number {
  return Date.parse(amzDate.replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5'));
}

/** Verifies a presigned URL, and makes it again from what it says. */
function assertPresigned(method: string, url: string, host: string): void {
  const target = url.slice(`http://${host}`.length);
  assert(isSignedInQuery({ method, target, rawHeaders: ['Host', host] }, SECRET), url);
  assert(!isSignedInQuery({ method, target, rawHeaders: ['Host', 'other'] }, SECRET), url);
  const { rawPath, rawQuery } = splitTarget(target);
  const { scope, expiresSeconds, signedAtMs, signature } = parsePresignedQuery(rawQuery);
  const again = presignUrl(
    { ...scope, secret: SECRET },
    {
      ...{ method, origin: `http://${host}`, rawPath, expiresSeconds },
      query: [...new URL(url).searchParams].filter(([name]) => !MADE_BY_SIGNING.test(name)),
    },
    { atMs: signedAtMs },
  );
  assert.equal(parsePresignedQuery(splitTarget(again).rawQuery).signature, signature, url);
}

const MADE_BY_SIGNING = /^X-Amz-(?:Algorithm|Credential|Date|Expires|SignedHeaders|Signature)$/;

test('signatures agree with those of boto3', async (t) => {
  const python = findPython();
  if (python === undefined) return t.skip('the Python environment could not be made');
  await using listener = await openListener();
  const child = spawn(python, [join(import.meta.dirname, 'signatures.py')], {
    // No settings but those of the program: whoever runs this may have a configuration.
    env: { AWS_CONFIG_FILE: '/dev/null' },
    timeout: 100_000,
  });
  const { endpoint, host } = listener;
  child.stdin.end(
    JSON.stringify({ endpoint, accessKeyId: ACCESS_KEY_ID, secret: SECRET, keys: KEYS }),
  );
  const [[code], said, notes] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ]);
  assert.equal(code, 0, notes);
  const made = JSON.parse(said) as {
    readonly urls: readonly (readonly [string, string])[];
    readonly form: Readonly<Record<string, string>>;
  };

  assert.equal(listener.taken.length, KEYS.length * 6 + 4);
  for (const taken of listener.taken) assertSigned(taken);
  const hashes = new Set(
    listener.taken.map(({ rawHeaders }) => headerOf(rawHeaders, 'x-amz-content-sha256')),
  );
  assert(hashes.has('UNSIGNED-PAYLOAD') && hashes.size > 2);

  assert.equal(made.urls.length, KEYS.length * 3);
  for (const [method, url] of made.urls) assertPresigned(method, url, host);
  assertFormSigned(made.form);
});

function assertFormSigned(form: Readonly<Record<string, string>>): void {
  const { policy = '' } = form;
  const scope = parseCredential(form['x-amz-credential'] ?? '');
  const key = deriveSigningKey(scope, SECRET);
  assert(isPolicySigned(key, { policy, 'x-amz-signature': form['x-amz-signature'] ?? '' }));
  assert(
    !isPolicySigned(key, {
      policy: `${policy}x`,
      'x-amz-signature': form['x-amz-signature'] ?? '',
    }),
  );
  const atMs = msOf(form['x-amz-date'] ?? '');
  const own = signPolicy(
    { ...scope, secret: SECRET },
    { expiresAtMs: atMs, conditions: [] },
    { atMs },
  );
  for (const name of ['x-amz-algorithm', 'x-amz-credential', 'x-amz-date'] as const) {
    assert.equal(own[name], form[name]);
  }
}

function openClient(endpoint: string): S3Client {
  return new S3Client({
    ...{ endpoint, region: 'auto', forcePathStyle: true, maxAttempts: 1 },
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET },
  });
}

test('signatures agree with those of the AWS SDK for JavaScript', async () => {
  await using listener = await openListener();
  const client = openClient(listener.endpoint);
  for (const Key of KEYS) {
    const target = { Bucket: 'bucket', Key };
    const Metadata = { plain: 'a', spaces: 'two  spaces,  and a comma', upper: 'B=C;d' };
    await client.send(new PutObjectCommand({ ...target, Metadata, Body: 'hello' }));
    await client.send(new GetObjectCommand({ ...target, Range: 'bytes=0-9', VersionId: 'a+b/c=' }));
    const listed = { Bucket: 'bucket', Prefix: Key, Delimiter: [...Key].at(-1), StartAfter: Key };
    await client.send(new ListObjectsV2Command(listed));
    const CopySource = encodeURIComponent(`bucket/${Key}`);
    await client.send(new CopyObjectCommand({ ...target, CopySource }));

    const shown = { ResponseContentDisposition: 'attachment; filename="a + b.txt"' };
    const reading = new GetObjectCommand({ ...target, ...shown });
    assertPresigned('GET', await getSignedUrl(client, reading), listener.host);
    const writing = new PutObjectCommand({ ...target, Metadata });
    const expiresIn = { expiresIn: 604_800 };
    assertPresigned('PUT', await getSignedUrl(client, writing, expiresIn), listener.host);
  }
  client.destroy();
  assert.equal(listener.taken.length, KEYS.length * 4);
  for (const taken of listener.taken) assertSigned(taken);
});

test('a body that the AWS SDK for JavaScript streams is decoded, and its trailer found', async () => {
  await using listener = await openListener();
  const client = openClient(listener.endpoint);
  const pieces = ['hello', 'w'.repeat(70_000), '\r\n0\r\n'];
  const Body = Readable.from(pieces.map((piece) => Buffer.from(piece)));
  const ContentLength = pieces.join('').length;
  const target = { Bucket: 'bucket', Key: 'streamed' };
  await client.send(new PutObjectCommand({ ...target, Body, ContentLength }));
  client.destroy();
  const [taken] = listener.taken;
  assert(taken !== undefined);
  assertSigned(taken);
  const { rawHeaders } = taken;
  const form = headerOf(rawHeaders, 'x-amz-content-sha256');
  assert.equal(form, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER');
  const decodedBytes = Number(headerOf(rawHeaders, 'x-amz-decoded-content-length'));
  const options = { decodedBytes, signatures: undefined, expectsTrailers: true };
  const decoder = new AwsChunkedDecoder(options);
  const slices: Uint8Array[] = [];
  decoder.push(taken.body, (slice) => slices.push(slice));
  const { trailers } = decoder.finish();
  assert.equal(Buffer.concat(slices).toString(), pieces.join(''));
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(pieces.join('')));
  assert.deepEqual([...trailers], [['x-amz-checksum-crc32', checksum.toString('base64')]]);
});
