/** Requests of S3 signed by our own kit and sent as they are: raw paths, raw headers, raw bytes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as http from 'node:http';
import * as https from 'node:https';
import { buffer } from 'node:stream/consumers';
import { encodePath, encodeQueryPart } from '../../../src/kit/sigv4/percent.ts';
import { presignUrl } from '../../../src/kit/sigv4/presign-url.ts';
import { type Signer, signRequest } from '../../../src/kit/sigv4/sign-request.ts';

export type RawS3Request = {
  readonly method: string;
  /** None asks the service itself. */
  readonly bucket?: string;
  /** As it is, not encoded. None asks the bucket. */
  readonly key?: string;
  /** A name without a value stands there without a `=`. */
  readonly query?: readonly (readonly [name: string, value?: string])[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
};

export type RawS3Answer = {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
};

export type RawS3 = Disposable & {
  /** Signs and sends; any status is an answer. */
  send(request: RawS3Request): Promise<RawS3Answer>;
  /** The same, but fails the test unless the status is one of success. */
  expectDone(request: RawS3Request): Promise<RawS3Answer>;
  presign(input: {
    readonly method: string;
    readonly bucket: string;
    readonly key: string;
  }): string;
  /** Goes to a URL as it is, without signing anything; reads it unless it says otherwise. */
  fetch(url: string, options?: UnsignedRequest): Promise<RawS3Answer>;
};

export type UnsignedRequest = {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
};

export type S3Address = {
  /** `https://127.0.0.1:9000`: no slash at its end. */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** PEM of the authority to trust over TLS. */
  readonly ca: string | undefined;
};

const CONNECTIONS_MAX = 16;
const PRESIGNED_SECONDS = 300;

export function rawS3(address: S3Address): RawS3 {
  const { endpoint, accessKeyId, secretAccessKey, region, ca } = address;
  const isTls = endpoint.startsWith('https:');
  const settings = { keepAlive: true, maxSockets: CONNECTIONS_MAX };
  const agent = isTls ? new https.Agent({ ...settings, ca }) : new http.Agent(settings);
  const signer: Signer = { accessKeyId, secret: secretAccessKey, region, service: 's3' };
  const { hostname, port, host } = new URL(endpoint);
  const ask = async (options: http.RequestOptions, body?: Uint8Array): Promise<RawS3Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
    const all = { hostname, port, agent, setHost: false, ...options };
    const sent = isTls ? https.request(all) : http.request(all);
    sent.once('error', reject);
    sent.once('response', resolve);
    sent.end(body);
    const response = await promise;
    const bytes = await buffer(response);
    const { statusCode: status = 0, headers } = response;
    return { status, headers, bytes, text: bytes.toString() };
  };
  const send = (request: RawS3Request): Promise<RawS3Answer> => {
    const { method, body = '' } = request;
    const bytes = Buffer.from(body);
    const { rawPath, rawQuery } = targetOf(request);
    const isWriting = method === 'PUT' || method === 'POST';
    const headers = {
      host,
      ...(isWriting ? { 'content-length': String(bytes.length) } : {}),
      ...request.headers,
    };
    const signed = signRequest(
      signer,
      {
        method,
        rawPath,
        rawQuery,
        rawHeaders: Object.entries(headers).flat(),
        payloadHash: createHash('sha256').update(bytes).digest('hex'),
      },
      { atMs: Date.now() },
    );
    const path = rawQuery === '' ? rawPath : `${rawPath}?${rawQuery}`;
    return ask({ method, path, headers: [...signed.rawHeaders] }, isWriting ? bytes : undefined);
  };
  return {
    send,
    expectDone: async (request) => {
      const answer = await send(request);
      const what = `${request.method} ${request.bucket ?? ''} ${request.key ?? ''}`;
      assert.ok(answer.status < 300, `${what}: ${answer.status} ${answer.text}`);
      return answer;
    },
    presign: ({ method, ...object }) =>
      presignUrl(
        signer,
        {
          method,
          origin: endpoint,
          rawPath: targetOf(object).rawPath,
          expiresSeconds: PRESIGNED_SECONDS,
        },
        { atMs: Date.now() },
      ),
    fetch: (url, unsigned) => {
      assert.ok(url.startsWith(`${endpoint}/`), `${url} is at ${endpoint}`);
      const path = url.slice(endpoint.length);
      if (unsigned === undefined) return ask({ method: 'GET', path, headers: { host } });
      const body = Buffer.from(unsigned.body);
      const headers = { host, 'content-length': body.length, ...unsigned.headers };
      return ask({ method: unsigned.method, path, headers }, body);
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** What stands on the request line. Neither `new URL` nor anything else may touch the path. */
function targetOf({ bucket, key, query = [] }: Omit<RawS3Request, 'method'>) {
  const inBucket = key === undefined ? bucket : `${bucket}/${encodePath(key)}`;
  const rawQuery = query
    .map(([name, value]) => {
      const encoded = encodeQueryPart(name);
      return value === undefined ? encoded : `${encoded}=${encodeQueryPart(value)}`;
    })
    .join('&');
  return { rawPath: `/${inBucket ?? ''}`, rawQuery };
}
