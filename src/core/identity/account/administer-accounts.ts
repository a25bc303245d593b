/** What operators do with accounts. Every use case throws `access_denied` for anyone else. */
import type { Keyring } from '../../../kit/keyring.ts';
import type { AuditAction, AuditEntry } from '../../audit.ts';
import { ServiceError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import { LIST_LIMIT_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { MetadataTx, Transactions } from '../../ports/metadata/metadata.ts';
import type { UsageReads } from '../../ports/metadata/trail.ts';
import type { Random } from '../../ports/random.ts';
import type { Role } from '../../principal.ts';
import { parseAccountId, parseAccountSlug } from '../names.ts';
import { isUsername, parseUsername } from '../username/username.ts';
import { parseWalletAddress } from '../wallets/wallet-address.ts';
import type { Account, AccountChange, Entitlements } from './account.ts';
import { type Actor, actorName, authorizeActor } from './actor.ts';
import { getAccount } from './get-account.ts';
import { signUp } from './sign-up.ts';

type ChangeDeps = { readonly metadata: Transactions; readonly clock: Clock };
type OnAccount = { readonly actor: Actor; readonly accountId: AccountId };

/** Limits to change: a missing field stays, `null` goes back to the configured default. */
export type LimitsChange = {
  readonly storageBytes?: bigint | null;
  readonly egressBytes?: bigint | null;
  readonly buckets?: number | null;
};

/** A page of accounts in order of id, those after `after`; at most 1000. */
export async function listAccounts(
  deps: { readonly metadata: AccountReads },
  input: { readonly actor: Actor; readonly after: AccountId | undefined; readonly limit: number },
): Promise<readonly Account[]> {
  authorizeActor(input.actor, 'operator.accounts');
  const limit = Math.min(input.limit, LIST_LIMIT_MAX);
  return await deps.metadata.listAccounts({ after: input.after, limit });
}

/**
 * The account that an operator means by its id, slug, e-mail address, username or wallet, tried in
 * this order. Throws `account_not_found`.
 */
export async function showAccount(
  deps: { readonly metadata: AccountReads },
  input: { readonly actor: Actor; readonly account: string },
): Promise<Account> {
  authorizeActor(input.actor, 'operator.accounts');
  const found = await findAccountBy(deps.metadata, input.account);
  if (found === undefined) throw new ServiceError('account_not_found', 'There is no such account.');
  return found;
}

/** The newest audit entries of one account, or of all. */
export async function listAudit(
  deps: { readonly metadata: UsageReads },
  input: {
    readonly actor: Actor;
    readonly accountId: AccountId | undefined;
    readonly limit: number;
  },
): Promise<readonly AuditEntry[]> {
  authorizeActor(input.actor, 'operator.accounts');
  const limit = Math.min(input.limit, LIST_LIMIT_MAX);
  return await deps.metadata.listAudit({ accountId: input.accountId, limit });
}

/**
 * Opens a username account whatever the sign-up policy. Throws `username_invalid`,
 * `username_taken`.
 */
export async function createAccount(
  deps: ChangeDeps & { readonly random: Random; readonly keyring: Keyring },
  input: { readonly actor: Actor; readonly username: string },
): Promise<{ readonly account: Account; readonly appKey: string }> {
  authorizeActor(input.actor, 'operator.accounts');
  const username = parseUsername(input.username);
  const actor = actorName(input.actor);
  return await deps.metadata.transact((tx) => signUp(deps, tx, { username, actor }));
}

/**
 * Disables an account: every dialect refuses it until it is enabled. Throws `account_not_found`.
 */
export async function disableAccount(deps: ChangeDeps, input: OnAccount): Promise<void> {
  const at = deps.clock.now();
  await changeAccount(deps, input, 'account.disabled', (account) =>
    account.disabledAt === undefined ? { change: { disabledAt: at } } : undefined,
  );
}

/** Lifts `disableAccount`; sessions and keys work again. Throws `account_not_found`. */
export async function enableAccount(deps: ChangeDeps, input: OnAccount): Promise<void> {
  await changeAccount(deps, input, 'account.enabled', (account) =>
    account.disabledAt === undefined ? undefined : { change: { disabledAt: null } },
  );
}

/** Gives an account a role. Throws `account_not_found`. */
export async function setAccountRole(
  deps: ChangeDeps,
  input: OnAccount & { readonly role: Role },
): Promise<void> {
  const { role } = input;
  await changeAccount(deps, input, 'account.role_changed', (account) =>
    account.role === role ? undefined : { change: { role }, subject: role },
  );
}

/** Sets what an account may use. Throws `invalid_field`, `account_not_found`. */
export async function setAccountLimits(
  deps: ChangeDeps,
  input: OnAccount & { readonly limits: LimitsChange },
): Promise<void> {
  for (const [field, value] of Object.entries(input.limits)) {
    if (value === null || value === undefined || isLimit(value)) continue;
    throw new ServiceError('invalid_field', 'A limit is a whole number, zero or more.', {
      details: { field },
    });
  }
  const subject = limitsText(input.limits);
  await changeAccount(deps, input, 'account.limits_changed', ({ entitlements }) =>
    subject === ''
      ? undefined
      : { change: { entitlements: changedLimits(entitlements, input.limits) }, subject },
  );
}

/** Ends every session of an account. Throws `account_not_found`. */
export async function endAllSessions(deps: ChangeDeps, input: OnAccount): Promise<void> {
  authorizeActor(input.actor, 'operator.accounts');
  const { accountId } = input;
  const at = deps.clock.now();
  await deps.metadata.transact(async (tx) => {
    await getAccount(tx, accountId);
    await tx.revokeSessions(accountId, at, undefined);
    await appendAudit(tx, { at, accountId, actor: input.actor, action: 'session.ended' });
  });
}

/** Changes an account and says so in the trail, unless `decide` finds nothing to change. */
async function changeAccount(
  deps: ChangeDeps,
  { actor, accountId }: OnAccount,
  action: AuditAction,
  decide: (account: Account) => { change: AccountChange; subject?: string } | undefined,
): Promise<void> {
  authorizeActor(actor, 'operator.accounts');
  const at = deps.clock.now();
  await deps.metadata.transact(async (tx) => {
    const decided = decide(await getAccount(tx, accountId));
    if (decided === undefined) return;
    await tx.updateAccount(accountId, decided.change);
    await appendAudit(tx, { at, accountId, actor, action, subject: decided.subject });
  });
}

async function appendAudit(
  tx: MetadataTx,
  entry: Omit<AuditEntry, 'actor' | 'subject'> & {
    readonly actor: Actor;
    readonly subject?: string | undefined;
  },
): Promise<void> {
  await tx.appendAudit({ ...entry, actor: actorName(entry.actor), subject: entry.subject });
}

async function findAccountBy(metadata: AccountReads, text: string): Promise<Account | undefined> {
  const accountId = parseAccountId(text);
  if (accountId !== undefined) return await metadata.findAccount(accountId);
  if (text.includes('@')) return await metadata.findAccountByEmail(text);
  const slug = parseAccountSlug(text);
  const bySlug = slug && (await metadata.findAccountBySlug(slug));
  if (bySlug !== undefined) return bySlug;
  // A wallet's address has 32 letters at least, 43 or 44 as a rule.
  const byUsername = isUsername(text) ? await metadata.findAccountByUsername(text) : undefined;
  return byUsername ?? (await findAccountByWallet(metadata, text));
}

async function findAccountByWallet(
  metadata: AccountReads,
  text: string,
): Promise<Account | undefined> {
  try {
    return await metadata.findAccountByWallet(parseWalletAddress(text));
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'wallet_invalid') return undefined;
    throw error;
  }
}

function isLimit(value: bigint | number): boolean {
  return value >= 0 && (typeof value === 'bigint' || Number.isSafeInteger(value));
}

function changedLimits(entitlements: Entitlements, change: LimitsChange): Entitlements {
  const { storageBytes, egressBytes, buckets } = change;
  return {
    storageBytes:
      storageBytes === undefined ? entitlements.storageBytes : (storageBytes ?? undefined),
    egressBytes: egressBytes === undefined ? entitlements.egressBytes : (egressBytes ?? undefined),
    buckets: buckets === undefined ? entitlements.buckets : (buckets ?? undefined),
  };
}

function limitsText(change: LimitsChange): string {
  return Object.entries(change)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value ?? 'default'}`)
    .join(' ');
}
