/** Calls on one bucket over S3, with everything that tests rarely vary filled in. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { RawS3, RawS3Answer } from '../../clients/s3/raw-s3.ts';
import { textsOf } from '../../clients/s3/xml-texts.ts';

export type Ask = {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
};

export type Part = {
  readonly number: number;
  readonly etag: string;
  /** Elements besides, such as a checksum. */
  readonly also?: string;
};

export type ObjectCalls = ReturnType<typeof objectCalls>;

export const MIB = 1024 ** 2;

/** The calls of `raw` on `bucket`; `key` is as it is, and `undefined` asks the bucket. */
export function objectCalls({ raw, bucket }: { readonly raw: RawS3; readonly bucket: string }) {
  const ask = (method: string, key?: string, { query = {}, ...rest }: Ask = {}) =>
    raw.send({
      method,
      bucket,
      query: Object.entries(query),
      ...(key === undefined ? {} : { key }),
      ...rest,
    });
  const done = async (method: string, key?: string, rest: Ask = {}) => {
    const answer = await ask(method, key, rest);
    assert.ok(answer.status < 300, `${method} ${key ?? ''}: ${answer.status} ${answer.text}`);
    return answer;
  };
  return {
    bucket,
    ask,
    /** The same, but fails unless the status is one of success. */
    done,
    put: (key: string, body: Uint8Array | string = '', headers: Ask['headers'] = {}) =>
      done('PUT', key, { body, headers }),
    get: (key: string, headers: Ask['headers'] = {}) => ask('GET', key, { headers }),
    head: (key: string, headers: Ask['headers'] = {}) => ask('HEAD', key, { headers }),
    list: (query: Ask['query'] = {}) => done('GET', undefined, { query }),
    isThere: async (key: string) => (await ask('HEAD', key)).status === 200,
    begin: async (key: string, headers: Ask['headers'] = {}): Promise<string> => {
      const { text } = await done('POST', key, { query: { uploads: '' }, headers });
      return textOf(text, 'UploadId');
    },
    /** Sends a part and answers as it is listed in Complete. */
    send: async (
      key: string,
      uploadId: string,
      sent: {
        readonly number: number;
        readonly body: Uint8Array | string;
        readonly headers?: Ask['headers'];
      },
    ): Promise<Part> => {
      const query = { partNumber: `${sent.number}`, uploadId };
      const { body, headers = {} } = sent;
      const answer = await done('PUT', key, { query, body, headers });
      return { number: sent.number, etag: String(answer.headers.etag) };
    },
    complete: (
      key: string,
      uploadId: string,
      parts: readonly Part[],
      headers: Ask['headers'] = {},
    ) => ask('POST', key, { query: { uploadId }, body: listOf(parts), headers }),
    abort: (key: string, uploadId: string) => ask('DELETE', key, { query: { uploadId } }),
  };
}

/** The body of a Complete. */
export function listOf(parts: readonly Part[]): string {
  const elements = parts.map(
    ({ number, etag, also = '' }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag>${also}</Part>`,
  );
  return `<CompleteMultipartUpload>${elements.join('')}</CompleteMultipartUpload>`;
}

/** The text of the one `<name>` in an answer. */
export function textOf(xml: string, name: string): string {
  const texts = textsOf(xml, name);
  assert.equal(texts.length, 1, `one ${name} in ${xml}`);
  return texts[0] ?? '';
}

export function md5Of(bytes: Uint8Array | string): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** The header that documents need which tell of many keys. */
export function md5Header(body: string): { readonly 'content-md5': string } {
  return { 'content-md5': createHash('md5').update(body).digest('base64') };
}

/** The code of an error answer. */
export function codeOf({ text }: Pick<RawS3Answer, 'text'>): string | undefined {
  return /<Error><Code>([^<]*)<\/Code>/.exec(text)?.[1];
}
