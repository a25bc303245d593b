/** Forms as pages send them, and the policies that allow them. */
import { type PolicyFields, signPolicy } from '../../../src/kit/sigv4/post-policy.ts';
import type { Answer } from '../http-client.ts';
import { type OwnS3, REGION, type S3Holder } from './start-s3.ts';

export type Part = {
  readonly name: string;
  readonly value: string | Uint8Array;
  readonly fileName?: string;
};

export type Fields = Readonly<Record<string, string>>;

export const BOUNDARY = '----formBoundary7MA4YWxk';
export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`;

/** The body of a form, with its last boundary. */
export function formBody(parts: readonly Part[]): Buffer {
  return Buffer.concat([...parts.map(partBytes), Buffer.from(`--${BOUNDARY}--\r\n`)]);
}

export function partBytes({ name, value, fileName }: Part): Buffer {
  const file = fileName === undefined ? '' : `; filename="${fileName}"`;
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(value), Buffer.from('\r\n')]);
}

export const partsOf = (fields: Fields): readonly Part[] =>
  Object.entries(fields).map(([name, value]) => ({ name, value }));

export const fileOf = (value: string | Uint8Array, fileName = 'file.txt'): Part => ({
  name: 'file',
  value,
  fileName,
});

export type Signing = {
  /** Besides those that signing adds. */
  readonly conditions: readonly unknown[];
  readonly expiresAtMs?: number;
};

const MINUTE_MS = 60_000;

export function sign(holder: S3Holder, { conditions, expiresAtMs }: Signing): PolicyFields {
  const { accessKeyId, secret } = holder;
  const atMs = Date.now();
  return signPolicy(
    { accessKeyId, secret, region: REGION, service: 's3' },
    { conditions, expiresAtMs: expiresAtMs ?? atMs + MINUTE_MS },
    { atMs },
  );
}

/** Fields with a policy that says exactly them, and what else is wished. */
export function signedFields(
  holder: S3Holder,
  fields: Fields,
  wished: readonly unknown[] = [],
): Fields {
  const conditions = [
    { bucket: holder.bucket },
    ...Object.entries(fields).map(([name, value]) => ({ [name]: value })),
    ...wished,
  ];
  return { ...fields, ...sign(holder, { conditions }) };
}

/** Sends a form to the holder's bucket. */
export function post(
  s3: OwnS3,
  { bucket }: Pick<S3Holder, 'bucket'>,
  body: Uint8Array,
  headers: Fields = {},
): Promise<Answer> {
  return s3.call({
    route: `POST /${bucket}`,
    body,
    headers: { 'content-type': FORM_TYPE, ...headers },
  });
}
