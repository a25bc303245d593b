/** Proves that a link serves its own file only, whatever is renamed while somebody follows it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIdentityWorld, refusedAs } from '../../../tests/world/identity-world.ts';
import {
  insertAccount,
  keyOf,
  sampleAccount,
  samplePublication,
} from '../ports/metadata/contract/samples.ts';
import { openLink } from './open-link.ts';
import { createPublicLink } from './public-links.ts';
import { renameFile } from './rename-file.ts';

test('a file that takes the name of a linked one does not slip under its link', async () => {
  const world = await openIdentityWorld();
  const { metadata } = world;
  const account = await insertAccount(metadata, sampleAccount(1));
  const { accountId, slug, defaultBucketId, role } = account;
  const owner = { accountId, slug, defaultBucketId, role, credential: { kind: 'appKey' } } as const;
  const deps = { ...world, quota: { freeStorageBytes: 10_000_000n, freeEgressBytes: 0n } };
  const rename = (name: string, newName: string) =>
    renameFile(deps, owner, { name, newName, onExisting: 'refuse' });
  await metadata.publishObject(samplePublication(account, { key: 'shared', blobId: 1 }));
  await metadata.publishObject(samplePublication(account, { key: 'private', blobId: 2 }));
  const nothing = { title: undefined, description: undefined };
  const hash = await createPublicLink(deps, owner, {
    ...nothing,
    name: 'shared',
    expiresAt: undefined,
    password: undefined,
  });

  const opened = await openLink(deps, { hash, proof: { kind: 'none' } });
  await rename('shared', 'elsewhere');
  await rename('private', 'shared');
  const file = await opened.find();

  assert.equal(file?.key, keyOf('elsewhere'));
  assert.deepEqual(
    file?.content.map(({ blob }) => blob.blobId),
    [1],
  );
  const unknown = openLink(deps, { hash: '0'.repeat(32), proof: { kind: 'none' } });
  await assert.rejects(unknown, refusedAs('link_not_found'));
});
