/**
 * A running S3 listener with an account, its bucket and a key, for one client test.
 *
 * It is our own server, unless PINFOLD_TEST_S3_ENDPOINT names another: then the suite shows what
 * that one does. It needs PINFOLD_TEST_S3_BUCKET, PINFOLD_TEST_S3_ACCESS_KEY_ID and
 * PINFOLD_TEST_S3_SECRET_ACCESS_KEY besides, and PINFOLD_TEST_S3_CA_FILE where its authority is its own.
 */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import { freshDirectory } from '../../world/server.ts';
import { type RawS3, rawS3 } from './raw-s3.ts';

export type S3World = AsyncDisposable & {
  /** `http://127.0.0.1:9000`: no slash at its end. */
  readonly endpoint: string;
  readonly region: string;
  /** The account's default bucket. */
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The authority that clients must be told to trust; none without TLS. */
  readonly caFile: string | undefined;
  /** For the test's files, and the home of the programs that it starts. */
  readonly directory: string;
  /** What a program is started with: keys as the product page exports them, and no trust but `caFile`. */
  readonly environment: Readonly<Record<string, string>>;
  /** What no tool can express, and what the test asks on its own behalf. */
  readonly raw: RawS3;
};

export type S3Form = { readonly name: 'HTTP' | 'TLS'; readonly tls: boolean };

/** Over HTTP and over TLS, as far as the server offers both. */
export function s3Forms(): readonly S3Form[] {
  const foreign = process.env['PINFOLD_TEST_S3_ENDPOINT'];
  const forms: readonly S3Form[] = [
    { name: 'HTTP', tls: false },
    { name: 'TLS', tls: true },
  ];
  if (foreign === undefined) return forms;
  return forms.filter(({ tls }) => tls === foreign.startsWith('https:'));
}

export async function startS3World({ tls }: { readonly tls: boolean }): Promise<S3World> {
  const directory = await freshDirectory();
  const server = foreignServer();
  assert.equal(server.endpoint.startsWith('https:'), tls);
  const region = 'auto';
  const { endpoint, bucket, accessKeyId, secretAccessKey, caFile } = server;
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  const raw = rawS3({ endpoint, accessKeyId, secretAccessKey, region, ca });
  return {
    ...server,
    region,
    directory,
    raw,
    environment: {
      PATH: process.env['PATH'] ?? '',
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
    [Symbol.asyncDispose]: async () => {
      raw[Symbol.dispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

type NamedServer = Pick<
  S3World,
  'endpoint' | 'bucket' | 'accessKeyId' | 'secretAccessKey' | 'caFile'
>;

function foreignServer(): NamedServer {
  const read = (name: string) => process.env[`PINFOLD_TEST_S3_${name}`];
  const need = (name: string) => {
    const value = read(name);
    assert.ok(value !== undefined, `PINFOLD_TEST_S3_${name} is not set`);
    return value;
  };
  return {
    endpoint: need('ENDPOINT').replace(/\/$/, ''),
    bucket: need('BUCKET'),
    accessKeyId: need('ACCESS_KEY_ID'),
    secretAccessKey: need('SECRET_ACCESS_KEY'),
    caFile: read('CA_FILE'),
  };
}
