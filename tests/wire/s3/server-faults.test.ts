/**
 * Proves that what is the server's fault, or too much for it, is told by the codes on which clients
 * try again, and without a word of what is inside.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServiceError } from '../../../src/core/errors.ts';
import type { BlobStore } from '../../../src/core/ports/blob-store.ts';
import { startS3Alone } from './s3-alone.ts';
import { assertS3Error, startS3 } from './start-s3.ts';
import { deliver, signed, unsigned } from './wire-request.ts';

/** Puts and reads while the store can stage nothing and open nothing, because of `fault`. */
async function meet(fault: () => Error) {
  let isBroken = false;
  const { endpoint, holder } = await startS3Alone({
    change: ({ blobs }) => {
      const switched = Object.create(blobs) as BlobStore;
      const refuse = () => Promise.reject(fault());
      switched.stage = (options) => (isBroken ? refuse() : blobs.stage(options));
      switched.open = (blob) => (isBroken ? refuse() : blobs.open(blob));
      return { blobs: switched };
    },
  });
  const { bucket } = holder;
  const send = (route: string, body = '') => deliver(endpoint, signed(holder, { route, body }));
  assert.equal((await send(`PUT /${bucket}/k`, 'hello')).status, 200);
  isBroken = true;
  const put = await send(`PUT /${bucket}/new`, 'hello');
  const get = await send(`GET /${bucket}/k`);
  const listed = await send(`GET /${bucket}?list-type=2`);
  isBroken = false;
  assert.deepEqual(listed.text.match(/<Key>[^<]*/g), ['<Key>k']);
  assert.equal((await send(`GET /${bucket}/k`)).text, 'hello');
  return { put, get };
}

test('a fault inside is InternalError, and does not say which', async () => {
  const { put, get } = await meet(() => new Error('the cupboard /var/lib is on fire'));
  for (const answer of [put, get]) {
    assertS3Error(answer, 500, 'InternalError');
    assert.match(answer.text, /<Message>We encountered an internal error/);
    assert(!answer.text.includes('cupboard'));
  }
});

test('damaged bytes are InternalError and never given out', async () => {
  const { get } = await meet(() => new ServiceError('corrupt', 'block 3 of blob 7 is damaged'));
  assertS3Error(get, 500, 'InternalError');
  assert(!get.text.includes('blob'));
});

test('a server that may not write, or whose engine is away, asks to be tried again', async () => {
  for (const code of ['read_only', 'unavailable'] as const) {
    const { put } = await meet(() => new ServiceError(code, 'not now'));
    assertS3Error(put, 503, 'ServiceUnavailable');
    assert.equal(put.headers['retry-after'], '1');
  }
});

test('a full disk is 507, which clients do not try again', async () => {
  const { put } = await meet(() => new ServiceError('storage_full', 'The disk is full.'));
  assertS3Error(put, 507, 'InsufficientStorage');
});

test('too many requests of a key are SlowDown, and those of another are not', async () => {
  const s3 = await startS3({ RATE_LIMIT_S3_PER_SECOND: '3' });
  const ann = await s3.openHolder('ann');
  const bob = await s3.openHolder('bob');
  const ask = (who: typeof ann) =>
    deliver(s3.endpoint, signed(who, { route: `GET /${who.bucket}?list-type=2` }));
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(ann)));
  const refused = answers.filter(({ status }) => status !== 200);
  // A second may end among them.
  assert(refused.length >= 10, `${refused.length}`);
  for (const answer of refused) {
    assertS3Error(answer, 503, 'SlowDown');
    assert.equal(answer.headers['retry-after'], '1');
  }
  assert.equal((await ask(bob)).status, 200);
});

test('nobody in particular is counted by address', async () => {
  const s3 = await startS3({ RATE_LIMIT_S3_PER_SECOND: '3' });
  const ask = () => deliver(s3.endpoint, unsigned({ route: 'GET /' }));
  const answers = await Promise.all(Array.from({ length: 20 }, ask));
  const statuses = new Set(answers.map(({ status }) => status));
  assert.deepEqual([...statuses].toSorted(), [403, 503]);
});

test('behind a trusted proxy the address is the one that it forwards, in limits and in the log', async () => {
  const asked = async (settings: Readonly<Record<string, string>>) => {
    const s3 = await startS3({ RATE_LIMIT_S3_PER_SECOND: '3', ...settings });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => {
        const headers = [['x-forwarded-for', `198.51.100.${index}`]] as const;
        return deliver(s3.endpoint, unsigned({ route: 'GET /', headers }));
      }),
    );
    const statuses = [...new Set(answers.map(({ status }) => status))].toSorted();
    return { statuses, lines: s3.lines };
  };
  const behind = await asked({ TRUSTED_PROXIES: '127.0.0.1' });
  assert.deepEqual(behind.statuses, [403]);
  assert(behind.lines.some((line) => JSON.parse(line).address === '198.51.100.7'));
  const open = await asked({});
  assert.deepEqual(open.statuses, [403, 503]);
  assert(open.lines.every((line) => !line.includes('198.51.100.')));
});
