/** Proves what owners do with their files by name, and what each call asks of a token. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byToken, type FilesWorld, openFilesWorld } from '../../../tests/world/files-world.ts';
import { refusedAs } from '../../../tests/world/identity-world.ts';
import { isServiceError } from '../errors.ts';
import { disableAccount } from '../identity/account/administer-accounts.ts';
import type { AccountId } from '../ids.ts';
import { KEY_BYTES_MAX, LIST_LIMIT_MAX } from '../limits.ts';
import { keyOf } from '../ports/metadata/contract/samples.ts';
import { type Principal, SCOPES, type Scope } from '../principal.ts';
import { deleteFile } from './delete-file.ts';
import { type FileListQuery, listFiles, parseCursor } from './list-files.ts';
import { createPublicLink, deletePublicLink, listPublicLinks } from './public-links.ts';
import { type FileRename, renameFile } from './rename-file.ts';
import { findUploadStatus } from './upload-status.ts';

const EVERYTHING: FileListQuery = { prefix: '', delimiter: '', limit: 10, cursor: undefined };
const LINK = {
  title: undefined,
  description: undefined,
  expiresAt: undefined,
  password: undefined,
};

async function sizesByName(world: FilesWorld, owner: Principal) {
  const { entries } = await listFiles(world, owner, EVERYTHING);
  return Object.fromEntries(
    entries.map((entry) =>
      entry.kind === 'object' ? [entry.object.key, entry.object.sizeBytes] : [entry.prefix, 0],
    ),
  );
}

const to = (name: string, newName: string, onExisting: FileRename['onExisting'] = 'refuse') => ({
  name,
  newName,
  onExisting,
});

type Call = readonly [
  name: string,
  needed: readonly Scope[],
  run: (world: FilesWorld, principal: Principal, hash: string) => Promise<unknown>,
];

const CALLS: readonly Call[] = [
  ['list', ['files:read'], (world, by) => listFiles(world, by, EVERYTHING)],
  ['list links', ['files:read'], (world, by) => listPublicLinks(world, by, { ...EVERYTHING })],
  [
    'make a link',
    ['files:read', 'files:write'],
    (world, by) => createPublicLink(world, by, { ...LINK, name: 'a' }),
  ],
  ['end a link', ['files:delete'], (world, by, hash) => deletePublicLink(world, by, hash)],
  ['rename', ['files:write'], (world, by) => renameFile(world, by, to('a', 'c'))],
  [
    'rename over',
    ['files:write', 'files:delete'],
    (world, by) => renameFile(world, by, to('c', 'b', 'overwrite')),
  ],
  ['delete', ['files:delete'], (world, by) => deleteFile(world, by, 'b')],
];

test('each call asks a token for its scopes, all of them and no other', async () => {
  const world = await openFilesWorld();
  const { ann } = world;
  await world.keep(ann, 'a');
  await world.keep(ann, 'b');
  const hash = await createPublicLink(world, ann, { ...LINK, name: 'a' });
  const before = await sizesByName(world, ann);
  for (const [name, needed, run] of CALLS) {
    for (const lacking of needed) {
      const by = byToken(
        ann,
        SCOPES.filter((scope) => scope !== lacking),
      );
      await assert.rejects(run(world, by, hash), (error) => {
        assert(isServiceError(error, 'missing_scope'), name);
        assert.equal(error.details['required'], lacking, name);
        return true;
      });
    }
  }
  assert.deepEqual(await sizesByName(world, ann), before);
  for (const [, needed, run] of CALLS) await run(world, byToken(ann, needed), hash);
});

test('a status of an upload is told to who may read files', async () => {
  const world = await openFilesWorld();
  const query = { kind: 'byName', name: 'a' } as const;
  const blind = byToken(world.ann, ['files:write', 'files:delete']);
  await assert.rejects(findUploadStatus(world, blind, query), refusedAs('missing_scope'));
  const seeing = byToken(world.ann, ['files:read']);
  await assert.rejects(findUploadStatus(world, seeing, query), refusedAs('operation_not_found'));
});

test('a file takes another name unless a file has it, and over that one when told to', async () => {
  const world = await openFilesWorld();
  const { ann, bob } = world;
  const [a, b] = [await world.keep(ann, 'a'), await world.keep(ann, 'b')];
  await world.keep(bob, 'bobs');
  for (const name of ['absent', 'bobs']) {
    await assert.rejects(renameFile(world, ann, to(name, 'c')), refusedAs('object_not_found'));
  }
  await assert.rejects(renameFile(world, ann, to('a', 'b')), refusedAs('object_exists'));
  assert.deepEqual(await sizesByName(world, ann), { a, b });
  assert.equal(await renameFile(world, ann, to('a', 'bobs')), 'bobs');
  assert.deepEqual(await sizesByName(world, ann), { b, bobs: a });
  assert.equal(await renameFile(world, ann, to('bobs', 'b', 'overwrite')), 'b');
  assert.deepEqual(await sizesByName(world, ann), { b: a });
});

test('a file that is renamed to its own name stays as it is, whatever that name', async () => {
  const world = await openFilesWorld();
  const { ann } = world;
  const kept = { 'a//b': await world.keep(ann, 'a//b') };
  for (const onExisting of ['refuse', 'overwrite'] as const) {
    assert.equal(await renameFile(world, ann, to('a//b', 'a//b', onExisting)), 'a//b');
    assert.deepEqual(await sizesByName(world, ann), kept);
  }
  const absent = to('absent', 'absent', 'overwrite');
  await assert.rejects(renameFile(world, ann, absent), refusedAs('object_not_found'));
});

test('a longer name counts, to the last byte of the quota, and one that is freed counts back', async () => {
  const world = await openFilesWorld();
  const { ann } = world;
  await world.keep(ann, 'a');
  const counted = async () => (await world.metadata.findAccount(ann.accountId))?.countedBytes ?? 0n;
  const rename = async (left: bigint, newName: string, from = 'a') => {
    const quota = { ...world.quota, freeStorageBytes: (await counted()) + left };
    return await renameFile({ ...world, quota }, ann, to(from, newName, 'overwrite'));
  };
  // With its type it no longer fits into what every row counts.
  const longer = 'x'.repeat(KEY_BYTES_MAX);
  const before = await counted();
  await renameFile(world, ann, to('a', longer));
  const addedBytes = (await counted()) - before;
  assert(addedBytes > 0n);
  // Over the limit, and yet nothing keeps an account from counting less.
  await rename(-1n, 'a', longer);
  await assert.rejects(rename(addedBytes - 1n, longer), refusedAs('quota_exceeded'));
  assert.equal(await counted(), before);
  await rename(addedBytes, longer);
  await world.keep(ann, 'b');
  // What is replaced makes room for the name that it had.
  const both = await counted();
  await rename(0n, longer, 'b');
  assert((await counted()) < both);
  const nobody = { ...ann, accountId: 'nobody' as AccountId };
  await assert.rejects(renameFile(world, nobody, to(longer, 'c')), refusedAs('account_not_found'));
});

test('no file gets a name with an empty segment, a dot or two, nor one that is no key', async () => {
  const world = await openFilesWorld();
  const { ann } = world;
  await world.keep(ann, 'a');
  const bad = ['', '/', '/a', 'a/', 'a//b', '.', 'a/./b', '..', '../a', 'a/..', 'a\0', '\ud800'];
  for (const newName of [...bad, 'x'.repeat(1025)]) {
    await assert.rejects(renameFile(world, ann, to('a', newName)), (error) => {
      assert(isServiceError(error, 'invalid_file_name'), newName);
      return true;
    });
  }
  for (const name of ['...', '.a', 'a..b', 'x'.repeat(1024)]) {
    await renameFile(world, ann, to('a', name));
    await renameFile(world, ann, to(name, 'a'));
  }
});

test('a file is deleted once, by its owner, and not while the account is disabled', async () => {
  const world = await openFilesWorld();
  const { ann, bob } = world;
  await world.keep(ann, 'a');
  await assert.rejects(deleteFile(world, bob, 'a'), refusedAs('object_not_found'));
  await disableAccount(world, { actor: 'admin', accountId: ann.accountId });
  await assert.rejects(deleteFile(world, ann, 'a'), refusedAs('account_disabled'));
  assert.deepEqual(Object.keys(await sizesByName(world, ann)), ['a']);
  await world.keep(bob, 'b');
  await deleteFile(world, bob, 'b');
  await assert.rejects(deleteFile(world, bob, 'b'), refusedAs('object_not_found'));
});

test('pages of a listing follow each other by their cursors, through files and folders', async () => {
  const world = await openFilesWorld();
  const { ann } = world;
  for (const name of ['a', 'b/1', 'b/2', 'c', 'd/1']) await world.keep(ann, name);
  for (const [delimiter, names] of [
    ['', ['a', 'b/1', 'b/2', 'c', 'd/1']],
    ['/', ['a', 'b/', 'c', 'd/']],
  ] as const) {
    for (const limit of [1, 2, names.length, LIST_LIMIT_MAX]) {
      const seen: string[] = [];
      let pages = 0;
      let cursor: string | undefined;
      do {
        const page = await listFiles(world, ann, { ...EVERYTHING, delimiter, limit, cursor });
        for (const entry of page.entries) {
          seen.push(entry.kind === 'object' ? entry.object.key : entry.prefix);
        }
        cursor = page.nextCursor;
        pages += 1;
        assert(pages <= names.length, 'the cursors lead to an end');
      } while (cursor !== undefined);
      assert.deepEqual([seen, pages], [names, Math.ceil(names.length / limit)]);
    }
  }
});

test('a page has 1 to 1000 entries', async () => {
  const world = await openFilesWorld();
  for (const limit of [-1, 0, LIST_LIMIT_MAX + 1]) {
    await assert.rejects(listFiles(world, world.ann, { ...EVERYTHING, limit }), (error) => {
      return isServiceError(error, 'invalid_field') && error.details['field'] === 'limit';
    });
  }
});

test('a cursor that no listing gave is refused', async () => {
  const encode = (text: string) => Buffer.from(text).toString('base64url');
  assert.deepEqual(parseCursor(encode('1ka')), { kind: 'afterKey', key: keyOf('a') });
  assert.deepEqual(parseCursor(encode('1pa/')), { kind: 'afterPrefix', prefix: 'a/' });
  const broken = Buffer.from([0x31, 0x6b, 0xff]).toString('base64url');
  for (const text of ['', 'x', '%', encode('1k'), encode('1p'), encode('1xa'), encode('2ka')]) {
    assert.throws(() => parseCursor(text), refusedAs('invalid_cursor'), text);
  }
  for (const text of [
    broken,
    `${encode('1ka')}=`,
    encode('1kab').replace(/g$/, 'h'),
    ` ${encode('1ka')}`,
  ]) {
    assert.throws(() => parseCursor(text), refusedAs('invalid_cursor'), text);
  }
});
