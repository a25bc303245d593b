/** Proves what a presigned URL is of, and what of a wish for one is refused, by field. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  openIdentityWorld,
  principalBy,
  refusedAs,
  signIn,
} from '../../../../tests/world/identity-world.ts';
import { isServiceError } from '../../errors.ts';
import { type PresignInput, presignRequest } from './presign-request.ts';
import { createS3Key } from './s3-keys.ts';

const PLAIN: PresignInput = {
  method: 'GET',
  bucket: undefined,
  key: undefined,
  query: undefined,
  expiresSeconds: undefined,
  accessKeyId: undefined,
  region: undefined,
  endpoint: undefined,
};

async function openPresigner() {
  const world = await openIdentityWorld();
  const principal = await principalBy(world, (await signIn(world)).accessToken);
  await createS3Key(world, {
    actor: principal,
    accountId: principal.accountId,
    request: { name: undefined, isReadOnly: false, bucket: undefined, prefix: undefined },
  });
  const presign = (input: Partial<PresignInput>, as = principal) =>
    presignRequest(world, { principal: as, input: { ...PLAIN, ...input } });
  return { principal, presign };
}

test('a URL is for the region, origin, bucket and query that are asked for', async () => {
  const { presign, principal } = await openPresigner();
  const plain = await presign({});
  assert(plain.url.startsWith(`https://s3.store.example/${principal.slug}?`), plain.url);
  assert.match(plain.url, /%2Fauto%2Fs3%2Faws4_request&/);
  for (const endpoint of ['http://127.0.0.1:9000', 'http://127.0.0.1:9000/']) {
    const { url, region } = await presign({
      method: 'delete',
      bucket: 'other',
      key: 'k',
      query: { versionId: 'null' },
      region: 'x'.repeat(64),
      endpoint,
    });
    assert(url.startsWith('http://127.0.0.1:9000/other/k?'), url);
    assert.match(url, /[?&]versionId=null&/);
    assert(url.includes(`%2F${region}%2Fs3`), url);
  }
  const { url } = await presign({ endpoint: 'https://other.example' });
  assert(url.startsWith(`https://other.example/${principal.slug}?`), url);
});

test('what no URL can be of is refused by field', async () => {
  const { presign } = await openPresigner();
  for (const bad of [
    { method: '' },
    { method: 'PATCH' },
    { method: 'toString' },
    { bucket: '' },
    { bucket: 'No' },
    { bucket: 'a/b' },
    { region: '' },
    { region: 'a/b' },
    { region: 'x'.repeat(65) },
    { endpoint: '' },
    { endpoint: 'store.example' },
    { endpoint: 'ftp://store.example' },
    { endpoint: 'https://ann@store.example' },
    { endpoint: 'https://:secret@store.example' },
    { endpoint: 'https://store.example/path' },
    { endpoint: 'https://store.example/?query' },
    { endpoint: 'https://store.example/#part' },
    { query: { 'X-Amz-Signature': 'x' } },
    { query: { prefix: 'a', 'x-amz-date': 'x' } },
  ]) {
    await assert.rejects(presign(bad), (error) => {
      assert(isServiceError(error, 'invalid_field'), JSON.stringify(bad));
      assert.equal(error.details['field'], Object.keys(bad)[0]);
      return true;
    });
  }
  for (const key of ['', 'a\0', 'x'.repeat(1025)]) {
    await assert.rejects(presign({ key }), refusedAs('invalid_key'));
  }
});
