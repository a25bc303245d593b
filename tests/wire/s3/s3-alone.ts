/** The S3 listener with time-outs and engines of a test's own, and a key to speak by. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after } from 'node:test';
import { buildS3 } from '../../../src/compose/build-s3.ts';
import { NO_FAULTS } from '../../../src/core/ports/fault-points.ts';
import type { S3ServerOptions } from '../../../src/dialects/s3/s3-server.ts';
import { type ApiParts, type Holder, openAccount, startApi } from '../service.ts';

export async function startS3Alone(
  parts: Pick<ApiParts, 'settings' | 'change'> & {
    readonly timeouts?: S3ServerOptions['timeouts'];
  } = {},
) {
  const { timeouts, ...own } = parts;
  const api = await startApi(own);
  let endpoint = '';
  const server = buildS3(api.store, {
    config: api.config,
    faults: NO_FAULTS,
    publicUrl: () => endpoint,
    tls: undefined,
    ...(timeouts === undefined ? {} : { timeouts }),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  endpoint = `http://127.0.0.1:${address.port}`;
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const ann = await openAccount(api, 'ann');
  const holder = await holderOf(ann);
  return { endpoint, holder, ann, api, server };
}

/** A key of an account's own, and its default bucket. */
export async function holderOf({ call }: Pick<Holder, 'call'>) {
  const { json } = await call('POST /api/s3/keys', {});
  return {
    accessKeyId: String(json['access_key_id']),
    secret: String(json['secret']),
    bucket: String((await call('GET /api/s3/bucket')).json['bucket_name']),
  };
}
