/**
 * A running S3 listener with an account, its bucket and a key, for one client test: our own, unless
 * the environment names another server.
 */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { adminClient } from '../../../src/dialects/admin/admin-client.ts';
import { findForeignS3, type S3Server } from '../../world/foreign-s3.ts';
import { freshDirectory, startServer, type TestSettings } from '../../world/server.ts';
import { searchPath } from '../../world/tool-cache.ts';
import { makeCertificates } from './certificates.ts';
import { type RawS3, rawS3 } from './raw-s3.ts';

/** Its bucket is the account's default one. */
export type S3World = S3Server &
  AsyncDisposable & {
    readonly region: string;
    /** For the test's files, and the home of the programs that it starts. */
    readonly directory: string;
    /** What a program is started with: the keys as the product page exports them. */
    readonly environment: Readonly<Record<string, string>>;
    /** What no tool can express, and what the test asks on its own behalf. */
    readonly raw: RawS3;
  };

const BUCKETS_MAX = 10;

export type S3Form = { readonly name: 'HTTP' | 'TLS'; readonly tls: boolean };

/** Over HTTP and over TLS, as far as the server offers both. */
export function s3Forms(): readonly S3Form[] {
  const foreign = findForeignS3();
  const forms: readonly S3Form[] = [
    { name: 'HTTP', tls: false },
    { name: 'TLS', tls: true },
  ];
  if (foreign === undefined) return forms;
  return forms.filter(({ tls }) => tls === foreign.endpoint.startsWith('https:'));
}

export async function startS3World({ tls }: { readonly tls: boolean }): Promise<S3World> {
  await using stack = new AsyncDisposableStack();
  const directory = await freshDirectory();
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const server = findForeignS3() ?? (await startOwn(stack, { directory, tls }));
  assert.equal(server.endpoint.startsWith('https:'), tls);
  const region = 'auto';
  const { endpoint, bucket, accessKeyId, secretAccessKey, caFile } = server;
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  const raw = stack.use(rawS3({ endpoint, accessKeyId, secretAccessKey, region, ca }));
  const all = stack.move();
  return {
    ...server,
    region,
    directory,
    raw,
    environment: {
      PATH: searchPath(),
      HOME: directory,
      LANG: 'C.UTF-8',
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_DEFAULT_REGION: region,
      AWS_REGION: region,
      AWS_ENDPOINT_URL: endpoint,
      AWS_EC2_METADATA_DISABLED: 'true',
      PIPE_S3_BUCKET: bucket,
      // OpenSSL, Go and rustls read this; AWS_CA_BUNDLE is left to the tools that need it, for it
      // makes others fail.
      ...(caFile === undefined ? {} : { SSL_CERT_FILE: caFile, NODE_EXTRA_CA_CERTS: caFile }),
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function startOwn(
  stack: AsyncDisposableStack,
  { directory, tls }: { readonly directory: string; readonly tls: boolean },
): Promise<S3Server> {
  const certificates = tls ? await makeCertificates(directory) : undefined;
  const settings: TestSettings =
    certificates === undefined
      ? {}
      : { TLS_CERT_FILE: certificates.certFile, TLS_KEY_FILE: certificates.keyFile };
  const server = stack.use(await startServer({ settings }));
  const admin = adminClient(server.adminSocket);
  const { account } = await admin.createAccount({ username: 'traveller' });
  // Beyond the default bucket they are an entitlement.
  await admin.changeLimits(account, { buckets: BUCKETS_MAX });
  const key = await admin.createS3Key(account, {});
  return {
    endpoint: server.s3Url,
    bucket: key.default_bucket,
    accessKeyId: key.access_key_id,
    secretAccessKey: key.secret,
    caFile: certificates?.caFile,
  };
}
