/** API tokens: made, listed, revoked. */
import { canonicalBlock, isWithinBlocks } from '../../../kit/ip.ts';
import { isWellFormedText } from '../../../kit/text.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { AccountId, TimeMs, TokenId } from '../../ids.ts';
import { TOKEN_BLOCKS_MAX, TOKEN_NAME_LENGTH_MAX, TOKENS_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccessReads } from '../../ports/metadata/access.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import { SCOPES, type Scope } from '../../principal.ts';
import type { ApiToken } from '../account/account.ts';
import { type Actor, actorName, authorizeActor } from '../account/actor.ts';
import { newTokenId } from '../names.ts';
import { lookUpHash, mintSecretKey } from '../secret-key.ts';

type TokenDeps = {
  readonly metadata: Transactions & AccessReads;
  readonly clock: Clock;
  readonly random: Random;
};

/** How much of a token is kept in plain text, for people. */
const SHOWN_LENGTH = 8;
/** Least surprise for a quick start (pinning-api.md). */
const SCOPES_DEFAULT: readonly Scope[] = ['files:read', 'files:write'];

/** Untrusted texts; `undefined`: the default scopes, any address, no expiry. */
export type TokenRequest = {
  readonly name: string;
  readonly scopes: readonly string[] | undefined;
  readonly ipAllowlist: readonly string[] | undefined;
  readonly expiresAt: TimeMs | undefined;
};

/**
 * Makes a token; its text is answered this once. One that a token makes has no more scopes,
 * addresses or time than that; what is not named of the latter is the same. Throws `missing_scope`,
 * `access_denied`, `credential_invalid` when its maker was revoked meanwhile, `invalid_field`
 * naming the field, `token_name_taken`, `quota_exceeded`, `account_not_found`.
 */
export async function createApiToken(
  deps: TokenDeps,
  input: { readonly actor: Actor; readonly accountId: AccountId; readonly request: TokenRequest },
): Promise<{ readonly secret: string; readonly token: ApiToken }> {
  const { actor, accountId, request } = input;
  authorizeActor(actor, 'tokens.manage', accountId);
  const secret = mintSecretKey(deps.random, 'token');
  const now = deps.clock.now();
  const token: ApiToken = {
    tokenId: newTokenId(deps),
    accountId,
    name: parseTokenName(request.name),
    hash: lookUpHash(secret),
    prefix: secret.slice(0, SHOWN_LENGTH),
    scopes: parseScopes(request.scopes),
    ipAllowlist: parseBlocks(request.ipAllowlist ?? []),
    createdAt: now,
    expiresAt: parseExpiry(request.expiresAt, now),
    lastUsedAt: undefined,
  };
  checkGrant(actor, token.scopes);
  const made = await deps.metadata.transact(CREATE_API_TOKEN, {
    token,
    by:
      actor !== 'admin' && actor.credential.kind === 'token' ? actor.credential.tokenId : undefined,
    actor: actorName(actor),
  });
  return { secret, token: made };
}

type NewToken = {
  readonly token: ApiToken;
  /** The token that makes it. */
  readonly by: TokenId | undefined;
  readonly actor: string;
};

export const CREATE_API_TOKEN = defineTransaction(
  'create_api_token',
  async (tx, { token: wanted, by, actor }: NewToken) => {
    const { accountId, name, createdAt: at } = wanted;
    const account = await tx.findAccount(accountId);
    if (account === undefined) throw new ServiceError('account_not_found', 'No such account.');
    const tokens = await tx.listTokens(accountId);
    if (tokens.length >= TOKENS_MAX) {
      throw new ServiceError('quota_exceeded', 'The account has too many tokens.', {
        details: { allowed: TOKENS_MAX },
      });
    }
    const token =
      by === undefined
        ? wanted
        : withinToken(
            wanted,
            tokens.find((one) => one.tokenId === by),
          );
    await tx.insertToken(token);
    await tx.appendAudit({ at, accountId, actor, action: 'token.created', subject: name });
    return token;
  },
);

/**
 * What `maker` may hand on. Throws `credential_invalid` when it was revoked meanwhile, and
 * `invalid_field` for an address or an end beyond its own.
 */
function withinToken(wanted: ApiToken, maker: ApiToken | undefined): ApiToken {
  if (maker === undefined) {
    throw new ServiceError('credential_invalid', 'The key or token is not valid.');
  }
  const { expiresAt = maker.expiresAt } = wanted;
  if (maker.expiresAt !== undefined && (expiresAt ?? Number.POSITIVE_INFINITY) > maker.expiresAt) {
    throw invalidField('expiresAt', 'A token that a token makes expires no later than it.');
  }
  const held = maker.ipAllowlist;
  const ipAllowlist = wanted.ipAllowlist.length === 0 ? held : wanted.ipAllowlist;
  if (held.length > 0 && !ipAllowlist.every((block) => isWithinBlocks(block, held))) {
    throw invalidField('ipAllowlist', 'A token that a token makes is for no other addresses.');
  }
  return { ...wanted, expiresAt, ipAllowlist };
}

/** The live tokens of an account, oldest first. Throws `missing_scope`, `access_denied`. */
export async function listApiTokens(
  deps: { readonly metadata: AccessReads },
  input: { readonly actor: Actor; readonly accountId: AccountId },
): Promise<readonly ApiToken[]> {
  authorizeActor(input.actor, 'tokens.manage', input.accountId);
  return await deps.metadata.listTokens(input.accountId);
}

/**
 * Revokes a token by name, and the S3 keys that it made. Throws `missing_scope`, `access_denied`,
 * `token_not_found`.
 */
export async function revokeApiToken(
  deps: { readonly metadata: Transactions; readonly clock: Clock },
  input: { readonly actor: Actor; readonly accountId: AccountId; readonly name: string },
): Promise<void> {
  const { actor, accountId, name } = input;
  authorizeActor(actor, 'tokens.manage', accountId);
  // Not every engine takes such text.
  if (name.includes('\0')) throw tokenNotFound();
  await deps.metadata.transact(REVOKE_API_TOKEN, {
    accountId,
    name,
    actor: actorName(actor),
    at: deps.clock.now(),
  });
}

type TokenRevocation = {
  readonly accountId: AccountId;
  readonly name: string;
  readonly actor: string;
  readonly at: TimeMs;
};

export const REVOKE_API_TOKEN = defineTransaction(
  'revoke_api_token',
  async (tx, { accountId, name, actor, at }: TokenRevocation) => {
    const tokenId = await tx.deleteToken(accountId, name);
    if (tokenId === undefined) throw tokenNotFound();
    await tx.revokeS3KeysMadeBy(tokenId, at);
    await tx.appendAudit({ at, accountId, actor, action: 'token.revoked', subject: name });
  },
);

function tokenNotFound(): ServiceError {
  return new ServiceError('token_not_found', 'The account has no token of that name.');
}

function checkGrant(actor: Actor, scopes: readonly Scope[]): void {
  if (actor === 'admin' || actor.credential.kind !== 'token') return;
  const { scopes: held } = actor.credential;
  const lacking = scopes.find((scope) => !held.has(scope));
  if (lacking === undefined) return;
  throw new ServiceError('missing_scope', `The token cannot give the scope ${lacking}.`, {
    details: { required: lacking },
  });
}

function parseTokenName(text: string): string {
  const isGood =
    text.length > 0 &&
    text.length <= TOKEN_NAME_LENGTH_MAX &&
    text.trim() === text &&
    isWellFormedText(text) &&
    !/\p{Cc}/u.test(text);
  if (!isGood) {
    throw invalidField(
      'name',
      `A token's name has 1 to ${TOKEN_NAME_LENGTH_MAX} characters, no blanks around it and no controls.`,
    );
  }
  return text;
}

function parseScopes(texts: readonly string[] | undefined): readonly Scope[] {
  if (texts === undefined) return SCOPES_DEFAULT;
  const unknown = texts.find((text) => !SCOPES.some((scope) => scope === text));
  if (unknown !== undefined) {
    throw invalidField('scopes', `There is no scope ${JSON.stringify(unknown.slice(0, 50))}.`);
  }
  if (texts.length === 0) throw invalidField('scopes', 'A token without a scope can do nothing.');
  return SCOPES.filter((scope) => texts.includes(scope));
}

function parseBlocks(texts: readonly string[]): readonly string[] {
  if (texts.length > TOKEN_BLOCKS_MAX) {
    throw invalidField('ipAllowlist', `At most ${TOKEN_BLOCKS_MAX} addresses and blocks.`);
  }
  return texts.map((text) => {
    const block = canonicalBlock(text);
    if (block === undefined) {
      const shown = JSON.stringify(text.slice(0, 50));
      throw invalidField('ipAllowlist', `${shown} is no IP address and no CIDR block.`);
    }
    return block;
  });
}

function parseExpiry(expiresAt: TimeMs | undefined, now: TimeMs): TimeMs | undefined {
  if (expiresAt === undefined) return undefined;
  // The bound is the last time that RFC 3339 can say.
  if (expiresAt > now && expiresAt <= Date.UTC(9999, 11, 31)) return expiresAt;
  throw invalidField('expiresAt', 'A token expires in the future.');
}

function invalidField(field: string, message: string): ServiceError {
  return new ServiceError('invalid_field', message, { details: { field } });
}
