/** Proves whose uploads an owner is told about, and when their files have a URL of their hash. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFilesWorld } from '../../../tests/world/files-world.ts';
import { refusedAs } from '../../../tests/world/identity-world.ts';
import { changeSettings } from '../identity/account/change-settings.ts';
import { contentHashOf, type OperationId } from '../ids.ts';
import { inTransaction } from '../ports/metadata/contract/in-transaction.ts';
import { keyOf } from '../ports/metadata/contract/samples.ts';
import type { Principal } from '../principal.ts';
import type { UploadOperation } from './operation.ts';
import { findUploadStatus } from './upload-status.ts';

const ID = '5d3f2c1b-0a9e-4d8c-b7a6-958473625140';

async function openWorld() {
  const world = await openFilesWorld();
  const { ann } = world;
  await world.keep(ann, 'a');
  const contentHash = (await world.metadata.findObject(ann.defaultBucketId, keyOf('a')))
    ?.contentHash;
  const save = async (change: Partial<UploadOperation> = {}) => {
    const operation: UploadOperation = {
      operationId: ID as OperationId,
      accountId: ann.accountId,
      key: keyOf('a'),
      status: 'completed',
      error: undefined,
      contentHash,
      bytesTotal: 1,
      bytesUploaded: 1,
      createdAt: world.clock.now(),
      updatedAt: world.clock.now(),
      ...change,
    };
    await inTransaction(world.metadata, (tx) => tx.saveOperation(operation));
    return operation;
  };
  const byId = (principal: Principal, operationId: string = ID) =>
    findUploadStatus(world, principal, { kind: 'byId', operationId });
  const byName = (principal: Principal, name: string) =>
    findUploadStatus(world, principal, { kind: 'byName', name });
  return { ...world, world, save, byId, byName };
}

test('an upload is found by id and by name, by its owner alone', async () => {
  const { ann, bob, save, byId, byName } = await openWorld();
  const operation = await save();
  assert.deepEqual((await byId(ann)).operation, operation);
  assert.deepEqual((await byName(ann, 'a')).operation, operation);
  await assert.rejects(byId(bob), refusedAs('operation_not_found'));
  await assert.rejects(byName(bob, 'a'), refusedAs('operation_not_found'));
  await assert.rejects(byName(ann, 'b'), refusedAs('operation_not_found'));
  await assert.rejects(byName(ann, '\0'), refusedAs('invalid_file_name'));
});

test('what can be no id is looked up nowhere: not each engine takes any text', async () => {
  const { ann, world, save } = await openWorld();
  await save();
  const asked: string[] = [];
  const metadata: typeof world.metadata = Object.assign(Object.create(world.metadata), {
    findOperation: async (operationId) => {
      asked.push(operationId);
      return await world.metadata.findOperation(operationId);
    },
  } satisfies Partial<typeof world.metadata>);
  const unknown = ID.replace('5', '6');
  for (const operationId of ['', 'x', '\0', `${ID}\n`, ID.toUpperCase(), `${ID}0`, unknown]) {
    await assert.rejects(
      findUploadStatus({ metadata }, ann, { kind: 'byId', operationId }),
      refusedAs('operation_not_found'),
    );
  }
  assert.deepEqual(asked, [unknown]);
});

test('only the upload that made the file as it is has a URL of the hash, if the owner has any', async () => {
  const { ann, save, byId, world } = await openWorld();
  await save();
  assert.equal((await byId(ann)).isLinkable, true);
  for (const other of [
    { contentHash: contentHashOf('0'.repeat(64)) },
    { key: keyOf('deleted meanwhile') },
    { status: 'running', contentHash: undefined },
    { status: 'failed', contentHash: undefined, error: 'incomplete_body' },
  ] as const satisfies readonly Partial<UploadOperation>[]) {
    await save(other);
    assert.equal((await byId(ann)).isLinkable, false);
  }
  await save();
  await changeSettings(world, { principal: ann, settings: { deterministicUrls: 'off' } });
  assert.equal((await byId(ann)).isLinkable, false);
});
