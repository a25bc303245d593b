/** Making, listing and ending public links. */

import { asBuffer } from '../../kit/buffers.ts';
import { isWellFormedText } from '../../kit/text.ts';
import { defineTransaction } from '../define-transaction.ts';
import { ServiceError } from '../errors.ts';
import { authorize } from '../identity/access/authorize.ts';
import type { AccountId, LinkHash, ObjectKey, TimeMs } from '../ids.ts';
import { LINK_PASSWORD_LENGTH_MAX, LINK_TEXT_LENGTH_MAX, LINKS_MAX } from '../limits.ts';
import { objectNotFound } from '../objects/read/read-object.ts';
import type { Clock } from '../ports/clock.ts';
import type { MetadataReads, Transactions } from '../ports/metadata/metadata.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import type { Random } from '../ports/random.ts';
import type { Principal } from '../principal.ts';
import { parseStoredName } from './file-name.ts';
import { isLinkHash, linkNotFound, type PublicLink, parseLinkHash } from './public-link.ts';

export type NewPublicLink = {
  readonly name: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly expiresAt: TimeMs | undefined;
  readonly password: string | undefined;
};

const LINK_HASH_BYTES = 16;

/** Throws `object_not_found`, `invalid_field`, `too_many_links`. */
export async function createPublicLink(
  deps: {
    readonly metadata: Transactions & Pick<MetadataReads, 'findObject'>;
    readonly passwords: Pick<PasswordHasher, 'hash'>;
    readonly clock: Pick<Clock, 'now'>;
    readonly random: Random;
  },
  principal: Principal,
  input: NewPublicLink,
): Promise<LinkHash> {
  // A right hands on only what it holds: who may not read a file may let nobody else read it.
  authorize(principal, 'files.read');
  authorize(principal, 'links.write');
  const key = parseStoredName(input.name);
  const now = deps.clock.now();
  checkLink(input, now);
  const hash = parseLinkHash(asBuffer(deps.random.bytes(LINK_HASH_BYTES)).toString('hex'));
  const passwordHash = await hashOf(deps, principal, key, input.password);
  const link: PublicLink = {
    hash,
    accountId: principal.accountId,
    bucketId: principal.defaultBucketId,
    key,
    title: input.title,
    description: input.description,
    expiresAt: input.expiresAt,
    passwordHash,
    createdAt: now,
  };
  await deps.metadata.transact(CREATE_PUBLIC_LINK, { link, linksMax: LINKS_MAX });
  return hash;
}

/** Not before the file was seen: the hash is the costliest thing that one can ask for. */
async function hashOf(
  deps: {
    readonly metadata: Pick<MetadataReads, 'findObject'>;
    readonly passwords: Pick<PasswordHasher, 'hash'>;
  },
  { accountId, defaultBucketId }: Principal,
  key: ObjectKey,
  password: string | undefined,
): Promise<string | undefined> {
  if (password === undefined) return undefined;
  const found = await deps.metadata.findObject(defaultBucketId, key);
  if (found === undefined) throw objectNotFound();
  return await deps.passwords.hash(password, { owner: accountId });
}

export const CREATE_PUBLIC_LINK = defineTransaction(
  'create_public_link',
  async (tx, creation: { readonly link: PublicLink; readonly linksMax: number }) => {
    const { link, linksMax } = creation;
    const { accountId, bucketId, key, hash, createdAt: at } = link;
    if ((await tx.findObject(bucketId, key)) === undefined) throw objectNotFound();
    if ((await tx.countLinks(accountId, linksMax)) >= linksMax) throw tooManyLinks(linksMax);
    await tx.insertLink(link);
    await tx.appendAudit({
      at,
      accountId,
      actor: accountId,
      action: 'link.created',
      subject: hash,
    });
  },
);

function tooManyLinks(allowed: number): ServiceError {
  return new ServiceError(
    'too_many_links',
    `The account has ${allowed} public links: delete some first.`,
    { details: { allowed } },
  );
}

function checkLink(input: NewPublicLink, now: TimeMs): void {
  const refuse = (field: string, problem: string) =>
    new ServiceError('invalid_field', `${field} ${problem}`, { details: { field } });
  for (const [field, text = ''] of [
    ['custom_title', input.title],
    ['custom_description', input.description],
  ] as const) {
    if (text.length > LINK_TEXT_LENGTH_MAX) {
      throw refuse(field, `has at most ${LINK_TEXT_LENGTH_MAX} characters.`);
    }
    // Not every engine keeps such text, and no page could show it.
    if (text.includes('\0') || !isWellFormedText(text)) {
      throw refuse(field, 'must be well-formed text without NUL.');
    }
  }
  if (input.expiresAt !== undefined && input.expiresAt <= now) {
    throw refuse('expires_at', 'must lie in the future.');
  }
  const passwordLength = input.password?.length;
  if (passwordLength === 0 || (passwordLength ?? 0) > LINK_PASSWORD_LENGTH_MAX) {
    throw refuse('password', `has 1 to ${LINK_PASSWORD_LENGTH_MAX} characters.`);
  }
}

/** Ends a link of one's own. Throws `link_not_found`. */
export async function deletePublicLink(
  deps: { readonly metadata: Transactions; readonly clock: Pick<Clock, 'now'> },
  principal: Principal,
  hash: string,
): Promise<void> {
  authorize(principal, 'links.delete');
  const linkHash = parseLinkHash(hash);
  const { accountId } = principal;
  await deps.metadata.transact(DELETE_PUBLIC_LINK, {
    accountId,
    hash: linkHash,
    at: deps.clock.now(),
  });
}

type LinkDeletion = {
  readonly accountId: AccountId;
  readonly hash: LinkHash;
  readonly at: TimeMs;
};

export const DELETE_PUBLIC_LINK = defineTransaction(
  'delete_public_link',
  async (tx, { accountId, hash, at }: LinkDeletion) => {
    if (!(await tx.deleteLink(accountId, hash))) throw linkNotFound();
    await tx.appendAudit({
      at,
      accountId,
      actor: accountId,
      action: 'link.deleted',
      subject: hash,
    });
  },
);

/** The account's links, newest first. Throws `invalid_cursor`. */
export async function listPublicLinks(
  deps: { readonly metadata: Pick<MetadataReads, 'listLinks'> },
  principal: Principal,
  page: { readonly limit: number; readonly cursor: string | undefined },
): Promise<{ readonly links: readonly PublicLink[]; readonly nextCursor: string | undefined }> {
  authorize(principal, 'links.read');
  const found = await deps.metadata.listLinks({
    accountId: principal.accountId,
    after: page.cursor === undefined ? undefined : parseLinkCursor(page.cursor),
    limit: page.limit + 1,
  });
  const links = found.slice(0, page.limit);
  const last = found.length > page.limit ? links.at(-1) : undefined;
  return { links, nextCursor: last && `${last.createdAt}.${last.hash}` };
}

function parseLinkCursor(text: string): { createdAt: TimeMs; hash: LinkHash } {
  const [, at, hash = ''] = /^(\d{1,15})\.(.*)$/.exec(text) ?? [];
  if (!isLinkHash(hash)) {
    throw new ServiceError('invalid_cursor', 'The cursor is not one that a listing gave.', {
      details: { field: 'cursor' },
    });
  }
  return { createdAt: Number(at) as TimeMs, hash };
}
