/** A server with an S3 listener for a test file, and holders of a bucket and a key there. */
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { adminClient } from '../../../src/dialects/admin/admin-client.ts';
import { type RawS3, rawS3 } from '../../clients/s3/raw-s3.ts';
import { startServer, type TestSettings } from '../../world/server.ts';
import { type Answer, type Call, call, type Json } from '../http-client.ts';

export type S3Holder = {
  readonly account: string;
  readonly appKey: string;
  /** The account's default bucket. */
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secret: string;
  /** Signs with the key. */
  readonly raw: RawS3;
};

export type OwnS3 = Awaited<ReturnType<typeof startS3>>;

export const REGION = 'auto';

/** Starts the whole server; it ends with the test file. */
export async function startS3(settings: TestSettings = {}) {
  const lines: string[] = [];
  const logTo = { write: (line: string) => void lines.push(line) };
  const server = await startServer({ settings, logTo });
  after(() => server[Symbol.asyncDispose]());
  const { s3Url: endpoint } = server;
  const admin = adminClient(server.adminSocket);
  return {
    endpoint,
    admin,
    directory: server.directory,
    /** Log lines so far. */
    lines,
    /** Unsigned, as it is. */
    call: (request: Call): Promise<Answer> => call(endpoint, request),
    /** As the account, over the REST API. */
    callRest: ({ appKey }: S3Holder, route: string, body: Json): Promise<Answer> =>
      call(server.url, { route, body, headers: { authorization: `ApiKey ${appKey}` } }),
    openHolder: async (username: string): Promise<S3Holder> => {
      const { account, user_app_key: appKey } = await admin.createAccount({ username });
      const key = await admin.createS3Key(account, {});
      const { access_key_id: accessKeyId, secret, default_bucket: bucket } = key;
      const raw = rawS3({
        endpoint,
        accessKeyId,
        secretAccessKey: secret,
        region: REGION,
        ca: undefined,
      });
      after(() => raw[Symbol.dispose]());
      return { account, appKey, bucket, accessKeyId, secret, raw };
    },
  };
}

/** The error document of S3, and nothing else. */
export function assertS3Error(
  answer: Pick<Answer, 'status' | 'headers' | 'text'>,
  status: number,
  code: string,
): void {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers['content-type'], 'application/xml');
  assert.equal(/<Error><Code>([^<]*)<\/Code>/.exec(answer.text)?.[1], code, answer.text);
}
