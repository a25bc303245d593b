/**
 * An S3 server that is not ours, so that the client tests show what that one does. Named by
 * PINFOLD_TEST_S3_ENDPOINT, …_BUCKET, …_ACCESS_KEY_ID, …_SECRET_ACCESS_KEY, and …_CA_FILE where its
 * authority is its own.
 */
import assert from 'node:assert/strict';

export type S3Server = {
  /** `https://127.0.0.1:9000`: no slash at its end. */
  readonly endpoint: string;
  /** One that is there and that nobody else uses. */
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The authority that clients must be told to trust; none without TLS. */
  readonly caFile: string | undefined;
};

/** `undefined` when none is named. */
export function findForeignS3(): S3Server | undefined {
  const endpoint = read('ENDPOINT');
  if (endpoint === undefined) return undefined;
  return {
    endpoint: endpoint.replace(/\/$/, ''),
    bucket: need('BUCKET'),
    accessKeyId: need('ACCESS_KEY_ID'),
    secretAccessKey: need('SECRET_ACCESS_KEY'),
    caFile: read('CA_FILE'),
  };
}

function need(name: string): string {
  const value = read(name);
  assert.ok(value !== undefined, `PINFOLD_TEST_S3_${name} is not set`);
  return value;
}

function read(name: string): string | undefined {
  return process.env[`PINFOLD_TEST_S3_${name}`];
}
