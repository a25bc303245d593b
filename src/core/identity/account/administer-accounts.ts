/** What operators do with accounts. Every use case throws `access_denied` for anyone else. */
import type { Keyring } from '../../../kit/keyring.ts';
import type { AuditAction, AuditEntry } from '../../audit.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { isServiceError, ServiceError } from '../../errors.ts';
import type { AccountId, TimeMs } from '../../ids.ts';
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
  return await signUp(deps, { username, actor });
}

/**
 * Disables an account: every dialect refuses it until it is enabled. Throws `account_not_found`.
 */
export async function disableAccount(deps: ChangeDeps, input: OnAccount): Promise<void> {
  await deps.metadata.transact(DISABLE_ACCOUNT, operationOf(deps, input));
}

export const DISABLE_ACCOUNT = defineTransaction(
  'disable_account',
  async (tx, operation: Operation) => {
    if ((await getAccount(tx, operation.accountId)).disabledAt !== undefined) return;
    await changeAccount(tx, operation, {
      change: { disabledAt: operation.at },
      action: 'account.disabled',
    });
  },
);

/** Lifts `disableAccount`; sessions and keys work again. Throws `account_not_found`. */
export async function enableAccount(deps: ChangeDeps, input: OnAccount): Promise<void> {
  await deps.metadata.transact(ENABLE_ACCOUNT, operationOf(deps, input));
}

export const ENABLE_ACCOUNT = defineTransaction(
  'enable_account',
  async (tx, operation: Operation) => {
    if ((await getAccount(tx, operation.accountId)).disabledAt === undefined) return;
    await changeAccount(tx, operation, {
      change: { disabledAt: null },
      action: 'account.enabled',
    });
  },
);

/** Gives an account a role. Throws `account_not_found`. */
export async function setAccountRole(
  deps: ChangeDeps,
  input: OnAccount & { readonly role: Role },
): Promise<void> {
  const { role } = input;
  await deps.metadata.transact(SET_ACCOUNT_ROLE, { ...operationOf(deps, input), role });
}

export const SET_ACCOUNT_ROLE = defineTransaction(
  'set_account_role',
  async (tx, operation: Operation & { readonly role: Role }) => {
    const { accountId, role } = operation;
    if ((await getAccount(tx, accountId)).role === role) return;
    await changeAccount(tx, operation, {
      change: { role },
      action: 'account.role_changed',
      subject: role,
    });
  },
);

/** Sets what an account may use. Throws `invalid_field`, `account_not_found`. */
export async function setAccountLimits(
  deps: ChangeDeps,
  input: OnAccount & { readonly limits: LimitsChange },
): Promise<void> {
  for (const [field, value] of Object.entries(input.limits)) {
    if (value === null || isLimit(value)) continue;
    throw new ServiceError('invalid_field', 'A limit is a whole number, zero or more.', {
      details: { field },
    });
  }
  const { limits } = input;
  await deps.metadata.transact(SET_ACCOUNT_LIMITS, { ...operationOf(deps, input), limits });
}

export const SET_ACCOUNT_LIMITS = defineTransaction(
  'set_account_limits',
  async (tx, operation: Operation & { readonly limits: LimitsChange }) => {
    const { accountId, limits } = operation;
    const { entitlements } = await getAccount(tx, accountId);
    const subject = limitsText(limits);
    if (subject === '') return;
    await changeAccount(tx, operation, {
      change: { entitlements: changedLimits(entitlements, limits) },
      action: 'account.limits_changed',
      subject,
    });
  },
);

/** Ends every session of an account. Throws `account_not_found`. */
export async function endAllSessions(deps: ChangeDeps, input: OnAccount): Promise<void> {
  await deps.metadata.transact(END_ALL_SESSIONS, operationOf(deps, input));
}

export const END_ALL_SESSIONS = defineTransaction(
  'end_all_sessions',
  async (tx, { actor, accountId, at }: Operation) => {
    await getAccount(tx, accountId);
    await tx.revokeSessions(accountId, at, undefined);
    await tx.appendAudit({ at, accountId, actor, action: 'session.ended', subject: undefined });
  },
);

/** What an operator's transaction knows besides its own subject. */
type Operation = {
  /** As the trail names them. */
  readonly actor: string;
  readonly accountId: AccountId;
  readonly at: TimeMs;
};

/** Throws `access_denied` for anyone but an operator. */
function operationOf(
  { clock }: Pick<ChangeDeps, 'clock'>,
  { actor, accountId }: OnAccount,
): Operation {
  authorizeActor(actor, 'operator.accounts');
  return { actor: actorName(actor), accountId, at: clock.now() };
}

/** Changes an account and says so in the trail. */
async function changeAccount(
  tx: MetadataTx,
  { actor, accountId, at }: Operation,
  changed: {
    readonly change: AccountChange;
    readonly action: AuditAction;
    readonly subject?: string;
  },
): Promise<void> {
  const { change, action, subject } = changed;
  await tx.updateAccount(accountId, change);
  await tx.appendAudit({ at, accountId, actor, action, subject });
}

async function findAccountBy(metadata: AccountReads, text: string): Promise<Account | undefined> {
  const accountId = parseAccountId(text);
  if (accountId !== undefined) return await metadata.findAccount(accountId);
  // Not every engine takes such text.
  if (text.includes('\0')) return undefined;
  if (text.includes('@')) return await metadata.findAccountByEmail(text);
  const slug = parseAccountSlug(text);
  const bySlug = slug === undefined ? undefined : await metadata.findAccountBySlug(slug);
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
    if (isServiceError(error, 'wallet_invalid')) return undefined;
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
    .map(([name, value]) => `${name}=${value ?? 'default'}`)
    .join(' ');
}
