/** Proves who makes, sees and ends links, what one may say, and who follows it until when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type FilesWorld, openFilesWorld } from '../../../tests/world/files-world.ts';
import { refusedAs } from '../../../tests/world/identity-world.ts';
import {
  keyringOf,
  MASTER_KEY_RANDOM_BYTES,
  newMasterKeyLine,
  parseMasterKeys,
} from '../../kit/keyring.ts';
import { isServiceError } from '../errors.ts';
import { disableAccount, enableAccount } from '../identity/account/administer-accounts.ts';
import { timeMs } from '../identity/names.ts';
import {
  LINK_COOKIE_LIFE_MS,
  LINK_PASSWORD_LENGTH_MAX,
  LINK_TEXT_LENGTH_MAX,
  LINKS_MAX,
} from '../limits.ts';
import { inTransaction } from '../ports/metadata/contract/in-transaction.ts';
import { issueLinkPass, type LinkProof, openLink } from './open-link.ts';
import { parseLinkHash } from './public-link.ts';
import {
  createPublicLink,
  deletePublicLink,
  listPublicLinks,
  type NewPublicLink,
} from './public-links.ts';

const PLAIN: NewPublicLink = {
  name: 'a',
  title: undefined,
  description: undefined,
  expiresAt: undefined,
  password: undefined,
};
const NO_PROOF: LinkProof = { kind: 'none' };

async function openWorld() {
  const world = await openFilesWorld();
  const sizeBytes = await world.keep(world.ann, 'a');
  const make = (change: Partial<NewPublicLink> = {}, owner = world.ann) =>
    createPublicLink(world, owner, { ...PLAIN, ...change });
  const follow = (hash: string, proof: LinkProof = NO_PROOF, more: Partial<FilesWorld> = {}) =>
    openLink({ ...world, ...more }, { hash, proof });
  return { ...world, world, sizeBytes, make, follow };
}

test('a link leads to its file, also for who knows nothing but its hash', async () => {
  const { make, follow, ann, sizeBytes } = await openWorld();
  const { link, account, find } = await follow(await make());
  assert.deepEqual([link.key, account.accountId], ['a', ann.accountId]);
  assert.equal((await find())?.sizeBytes, sizeBytes);
});

test('a link is made to a file of their own that stands', async () => {
  const { make, bob, metadata, ann } = await openWorld();
  await assert.rejects(make({ name: 'absent' }), refusedAs('object_not_found'));
  await assert.rejects(make({}, bob), refusedAs('object_not_found'));
  await assert.rejects(make({ name: 'a\0' }), refusedAs('invalid_file_name'));
  const trail = await metadata.listAudit({ accountId: ann.accountId, limit: 10 });
  assert(trail.every(({ action }) => action !== 'link.created'));
});

test('an account has so many links and no more, whatever others have', async () => {
  const { make, follow, world, ann, bob } = await openWorld();
  await world.keep(bob, 'a');
  const { link } = await follow(await make());
  const bobs = await make({}, bob);
  await inTransaction(world.metadata, async (tx) => {
    for (let count = 1; count < LINKS_MAX - 1; count += 1) {
      const hash = parseLinkHash(String(count).padStart(32, '0'));
      await tx.insertLink({ ...link, hash });
    }
  });
  const last = await make();
  await assert.rejects(make(), refusedAs('too_many_links'));
  await deletePublicLink(world, bob, bobs);
  await assert.rejects(make(), refusedAs('too_many_links'));
  await deletePublicLink(world, ann, last);
  await make();
});

test('what a link cannot say is refused by field, and what it just can is kept', async () => {
  const { make, follow, clock, world } = await openWorld();
  const at = clock.now();
  const bad: readonly (readonly [string, Partial<NewPublicLink>])[] = [
    ['custom_title', { title: 'x'.repeat(LINK_TEXT_LENGTH_MAX + 1) }],
    ['custom_title', { title: 'a\0b' }],
    ['custom_description', { description: 'x'.repeat(LINK_TEXT_LENGTH_MAX + 1) }],
    ['custom_description', { description: '\ud800' }],
    ['expires_at', { expiresAt: at }],
    ['expires_at', { expiresAt: timeMs(at - 1) }],
    ['password', { password: '' }],
    ['password', { password: 'x'.repeat(LINK_PASSWORD_LENGTH_MAX + 1) }],
  ];
  for (const [field, change] of bad) {
    await assert.rejects(make(change), (error) => {
      assert(isServiceError(error, 'invalid_field'), field);
      return error.details['field'] === field;
    });
  }
  assert.deepEqual((await listPublicLinks(world, world.ann, FIRST)).links, []);
  const texts = { title: 'x'.repeat(LINK_TEXT_LENGTH_MAX), description: '' };
  const password = 'x'.repeat(LINK_PASSWORD_LENGTH_MAX);
  const hash = await make({ ...texts, password, expiresAt: timeMs(at + 1) });
  const { link } = await follow(hash, { kind: 'password', password });
  const { title, description, expiresAt } = link;
  assert.deepEqual({ title, description, expiresAt }, { ...texts, expiresAt: at + 1 });
});

test('a link lives until it expires, and then no proof opens it', async () => {
  const { make, follow, clock } = await openWorld();
  const hash = await make({ expiresAt: timeMs(clock.now() + 1000) });
  clock.advance(999);
  await follow(hash);
  clock.advance(1);
  await assert.rejects(follow(hash), refusedAs('link_expired'));
  await assert.rejects(
    follow(hash, { kind: 'password', password: 'x' }),
    refusedAs('link_expired'),
  );
});

test('a link with a password opens by it alone, and one without to everybody', async () => {
  const { make, follow } = await openWorld();
  const hash = await make({ password: 'open sesame' });
  await assert.rejects(follow(hash), refusedAs('link_password_required'));
  for (const password of ['', 'open', 'open sesame ']) {
    const proof = { kind: 'password', password } as const;
    await assert.rejects(follow(hash, proof), refusedAs('link_password_wrong'));
  }
  await follow(hash, { kind: 'password', password: 'open sesame' });
  await follow(await make(), { kind: 'password', password: 'anything' });
});

test('a pass is good for ten minutes, for its link alone, under a key that is held', async () => {
  const { make, follow, clock, world } = await openWorld();
  const password = 'open sesame';
  const [hash, other] = [await make({ password }), await make({ password })];
  const { link } = await follow(hash, { kind: 'password', password });
  const by = (pass: string, to: string = hash) => follow(to, { kind: 'pass', pass });
  const pass = issueLinkPass(world, link);
  const [kid, expires, mac] = pass.split('.');
  const strange = newMasterKeyLine(world.random.bytes(MASTER_KEY_RANDOM_BYTES));
  const keyring = keyringOf(parseMasterKeys(strange));
  for (const bad of [
    '',
    '..',
    'unknown',
    `.${expires}.${mac}`,
    `unknown.${expires}.${mac}`,
    `${kid}..${mac}`,
    `${kid}.${Number(expires) + 1}.${mac}`,
    `${kid}.1e15.${mac}`,
    `${kid}.${expires}.`,
    `${kid}.${expires}`,
    issueLinkPass({ ...world, keyring }, link),
  ]) {
    await assert.rejects(by(bad), refusedAs('link_password_required'), bad);
  }
  await assert.rejects(by(pass, other), refusedAs('link_password_required'));
  const rekeyed = { ...link, passwordHash: 'another' };
  await assert.rejects(by(issueLinkPass(world, rekeyed)), refusedAs('link_password_required'));
  clock.advance(LINK_COOKIE_LIFE_MS - 1);
  await by(pass);
  clock.advance(1);
  await assert.rejects(by(pass), refusedAs('link_password_required'));
});

test('the links of a disabled account lead nowhere until it is enabled', async () => {
  const { make, follow, world, ann } = await openWorld();
  const hash = await make();
  await disableAccount(world, { actor: 'admin', accountId: ann.accountId });
  await assert.rejects(follow(hash), refusedAs('account_disabled'));
  await enableAccount(world, { actor: 'admin', accountId: ann.accountId });
  await follow(hash);
});

test('what names no link, and one whose account is gone, is not found', async () => {
  const { make, follow, metadata } = await openWorld();
  for (const hash of ['', 'x', 'a'.repeat(32), 'A'.repeat(22)]) {
    await assert.rejects(follow(hash), refusedAs('link_not_found'));
  }
  const hash = await make();
  const ownerless: typeof metadata = Object.assign(Object.create(metadata), {
    findAccount: async () => undefined,
  } satisfies Partial<typeof metadata>);
  await assert.rejects(
    follow(hash, NO_PROOF, { metadata: ownerless }),
    refusedAs('link_not_found'),
  );
});

test('a link is ended once, by its owner', async () => {
  const { make, follow, world, ann, bob } = await openWorld();
  const hash = await make();
  await assert.rejects(deletePublicLink(world, bob, hash), refusedAs('link_not_found'));
  await follow(hash);
  await deletePublicLink(world, ann, hash);
  await assert.rejects(follow(hash), refusedAs('link_not_found'));
  await assert.rejects(deletePublicLink(world, ann, hash), refusedAs('link_not_found'));
  await assert.rejects(deletePublicLink(world, ann, 'x'), refusedAs('link_not_found'));
  const trail = await world.metadata.listAudit({ accountId: ann.accountId, limit: 2 });
  assert.deepEqual(
    trail.map(({ action, subject }) => [action, subject]),
    [
      ['link.deleted', String(hash)],
      ['link.created', String(hash)],
    ],
  );
});

const FIRST = { limit: 10, cursor: undefined };

test('links are listed for their owner, newest first, in pages that end', async () => {
  const { make, clock, world, ann, bob } = await openWorld();
  const hashes: string[] = [];
  for (let count = 0; count < 4; count += 1) {
    hashes.unshift(await make());
    clock.advance(1);
  }
  assert.deepEqual(await listPublicLinks(world, bob, FIRST), { links: [], nextCursor: undefined });
  for (const limit of [1, 2, 3, 4, 5]) {
    const seen: string[] = [];
    let pages = 0;
    let cursor: string | undefined;
    do {
      const page = await listPublicLinks(world, ann, { limit, cursor });
      seen.push(...page.links.map(({ hash }) => hash));
      cursor = page.nextCursor;
      pages += 1;
      assert(pages <= hashes.length, 'the cursors lead to an end');
    } while (cursor !== undefined);
    assert.deepEqual([seen, pages], [hashes, Math.ceil(hashes.length / limit)]);
  }
});

test('a cursor that no list of links gave is refused', async () => {
  const { make, world, ann } = await openWorld();
  const hash = await make();
  for (const cursor of ['', 'x', hash, `.${hash}`, '1.', `1.${hash}x`, `-1.${hash}`]) {
    await assert.rejects(
      listPublicLinks(world, ann, { ...FIRST, cursor }),
      refusedAs('invalid_cursor'),
      cursor,
    );
  }
  // As long as a hash may be, and none.
  for (const cursor of [`1.${'A'.repeat(32)}`, `1.${'a'.repeat(25)}`]) {
    const listing = listPublicLinks(world, ann, { ...FIRST, cursor });
    await assert.rejects(listing, refusedAs('invalid_cursor'), cursor);
  }
});
