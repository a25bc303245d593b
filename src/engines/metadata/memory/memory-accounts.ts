/** Accounts, spent nonces, sessions and tokens of the memory engine. */
import { ServiceError } from '../../../core/errors.ts';
import type { Account, AccountChange } from '../../../core/identity/account/account.ts';
import { parseBucketName } from '../../../core/ids.ts';
import type { AccessReads, AccessWrites } from '../../../core/ports/metadata/access.ts';
import type { AccountReads, AccountWrites } from '../../../core/ports/metadata/accounts.ts';
import { SerialConflict } from '../conflict.ts';
import { accountNotFound, foldName, NOTHING_STORED } from '../rows/accounts.ts';
import { addBucket } from './memory-buckets.ts';
import { memoryS3KeyReads, memoryS3KeyWrites } from './memory-keys.ts';
import { compareText, deleteWhere, type Holder, insertNew, isBefore } from './memory-state.ts';

export function memoryAccountReads(holder: Holder): AccountReads {
  const find = async (matches: (account: Account) => boolean) =>
    [...holder.current.accounts.values()].find(matches);
  return {
    findAccount: async (accountId) => holder.current.accounts.get(accountId),
    findAccountBySlug: (slug) => find((account) => account.slug === slug),
    findAccountByUsername: (username) => find((account) => isNamed(account.username, username)),
    findAccountByEmail: (email) => find((account) => isNamed(account.email, email)),
    findAccountByAppKey: (appKeyHash) => find((account) => account.appKeyHash === appKeyHash),
    async findAccountByWallet(wallet) {
      const accountId = holder.current.wallets.get(wallet);
      return accountId === undefined ? undefined : holder.current.accounts.get(accountId);
    },
    async listAccounts({ after, limit }) {
      return [...holder.current.accounts.values()]
        .filter(({ accountId }) => after === undefined || compareText(accountId, after) > 0)
        .sort((a, b) => compareText(a.accountId, b.accountId))
        .slice(0, limit);
    },
    async sumStoredBytes() {
      const accounts = [...holder.current.accounts.values()];
      return accounts.reduce((sum, { storedBytes }) => sum + storedBytes, 0n);
    },
  };
}

function isNamed(standing: string | undefined, name: string): boolean {
  return standing !== undefined && foldName(standing) === foldName(name);
}

export function memoryAccountWrites(holder: Holder): AccountWrites {
  return {
    async insertAccount(account) {
      const { accounts, wallets, buckets } = holder.current;
      for (const { username, email } of accounts.values()) {
        if (
          (account.username !== undefined && isNamed(username, account.username)) ||
          (account.email !== undefined && isNamed(email, account.email))
        ) {
          throw new ServiceError('username_taken', 'The name is taken.');
        }
      }
      if ([...buckets.values()].some(({ name }) => String(name) === account.slug)) {
        throw new SerialConflict('a slug');
      }
      if (account.wallet !== undefined && wallets.has(account.wallet)) {
        throw new SerialConflict('a wallet');
      }
      const { bucketId } = addBucket(holder, {
        accountId: account.accountId,
        name: parseBucketName(account.slug),
        isDefault: true,
        publicRead: false,
        documents: { cors: undefined, policy: undefined, lifecycle: undefined, tagging: undefined },
        createdAt: account.createdAt,
      });
      if (account.wallet !== undefined) wallets.set(account.wallet, account.accountId);
      const inserted: Account = { ...account, defaultBucketId: bucketId, ...NOTHING_STORED };
      accounts.set(account.accountId, inserted);
      return inserted;
    },
    async updateAccount(accountId, change) {
      const account = holder.current.accounts.get(accountId);
      if (account === undefined) throw accountNotFound();
      holder.current.accounts.set(accountId, changed(account, change));
    },
  };
}

function changed(account: Account, { disabledAt, ...change }: AccountChange): Account {
  const named = Object.entries(change).filter(([, value]) => value !== undefined);
  const rest = { ...account, ...Object.fromEntries(named) };
  return disabledAt === undefined ? rest : { ...rest, disabledAt: disabledAt ?? undefined };
}

export function memoryAccessReads(holder: Holder): AccessReads {
  return {
    ...memoryS3KeyReads(holder),
    isNonceSpent: async (nonce) => holder.current.spentNonces.has(nonce),
    findSession: async (sessionId) => holder.current.sessions.get(sessionId),
    listSessions: async (accountId, limit) =>
      [...holder.current.sessions.values()]
        .filter((one) => one.accountId === accountId && one.revokedAt === undefined)
        .sort((a, b) => b.createdAt - a.createdAt || compareText(b.sessionId, a.sessionId))
        .slice(0, limit),
    findTokenByHash: async (hash) =>
      [...holder.current.tokens.values()].find((token) => token.hash === hash),
    listTokens: async (accountId) =>
      [...holder.current.tokens.values()]
        .filter((token) => token.accountId === accountId)
        .sort((a, b) => a.createdAt - b.createdAt || compareText(a.tokenId, b.tokenId)),
  };
}

export function memoryAccessWrites(holder: Holder): AccessWrites {
  return {
    ...nonceWrites(holder),
    ...sessionWrites(holder),
    ...tokenWrites(holder),
    ...memoryS3KeyWrites(holder),
  };
}

function nonceWrites(holder: Holder): Pick<AccessWrites, 'spendNonce' | 'deleteSpentNonces'> {
  return {
    async spendNonce(nonce, expiresAt) {
      if (holder.current.spentNonces.has(nonce)) return false;
      holder.current.spentNonces.set(nonce, expiresAt);
      return true;
    },
    deleteSpentNonces: async (before, limit) =>
      deleteWhere(holder.current.spentNonces, (expiresAt) => expiresAt < before, limit),
  };
}

function sessionWrites(
  holder: Holder,
): Pick<
  AccessWrites,
  | 'insertSession'
  | 'rotateSession'
  | 'touchSession'
  | 'revokeSession'
  | 'revokeSessions'
  | 'deleteSessions'
> {
  return {
    async insertSession(session) {
      insertNew(holder.current.sessions, session.sessionId, session);
    },
    async rotateSession(sessionId, counter, at) {
      const session = holder.current.sessions.get(sessionId);
      if (session === undefined || session.counter !== counter) return false;
      if (session.revokedAt !== undefined) return false;
      const rotated = { ...session, counter: counter + 1, rotatedAt: at, lastUsedAt: at };
      holder.current.sessions.set(sessionId, rotated);
      return true;
    },
    async touchSession(sessionId, at) {
      const session = holder.current.sessions.get(sessionId);
      if (session) holder.current.sessions.set(sessionId, { ...session, lastUsedAt: at });
    },
    async revokeSession(sessionId, at) {
      const session = holder.current.sessions.get(sessionId);
      if (session === undefined || session.revokedAt !== undefined) return false;
      holder.current.sessions.set(sessionId, { ...session, revokedAt: at });
      return true;
    },
    async revokeSessions(accountId, at, except) {
      for (const [sessionId, session] of holder.current.sessions) {
        if (session.accountId !== accountId || sessionId === except) continue;
        if (session.revokedAt !== undefined) continue;
        holder.current.sessions.set(sessionId, { ...session, revokedAt: at });
      }
    },
    deleteSessions: async ({ createdBefore, lastUsedBefore, revokedBefore, limit }) =>
      deleteWhere(
        holder.current.sessions,
        ({ createdAt, lastUsedAt, revokedAt }) =>
          createdAt < createdBefore ||
          lastUsedAt < lastUsedBefore ||
          isBefore(revokedAt, revokedBefore),
        limit,
      ),
  };
}

function tokenWrites(
  holder: Holder,
): Pick<AccessWrites, 'insertToken' | 'deleteToken' | 'touchToken'> {
  const find = (accountId: string, name: string) =>
    [...holder.current.tokens.values()].find(
      (token) => token.accountId === accountId && token.name === name,
    );
  return {
    async insertToken(token) {
      if (find(token.accountId, token.name)) {
        throw new ServiceError('token_name_taken', 'A token has that name.');
      }
      insertNew(holder.current.tokens, token.tokenId, token);
    },
    async deleteToken(accountId, name) {
      const token = find(accountId, name);
      if (token !== undefined) holder.current.tokens.delete(token.tokenId);
      return token?.tokenId;
    },
    async touchToken(tokenId, at) {
      const token = holder.current.tokens.get(tokenId);
      if (token) holder.current.tokens.set(tokenId, { ...token, lastUsedAt: at });
    },
  };
}
