/** Spent nonces, sessions and tokens as rows, joined to the S3 keys. */
import { ServiceError } from '../../../core/errors.ts';
import type { ApiToken, Session } from '../../../core/identity/account/account.ts';
import type { AccountId, SessionId, TimeMs, TokenId } from '../../../core/ids.ts';
import type {
  AccessReads,
  AccessWrites,
  S3KeyWrites,
} from '../../../core/ports/metadata/access.ts';
import type { Scope } from '../../../core/principal.ts';
import type { Db, SessionTable, TokenTable } from '../schema.ts';
import { orUndefined } from './columns.ts';
import { s3KeyReads, s3KeyWrites } from './s3-keys.ts';

type NonceWrites = Pick<AccessWrites, 'spendNonce' | 'deleteSpentNonces'>;
type TokenWrites = Pick<AccessWrites, 'insertToken' | 'deleteToken' | 'touchToken'>;
type SessionWrites = Omit<AccessWrites, keyof NonceWrites | keyof TokenWrites | keyof S3KeyWrites>;

export function accessReads(db: Db): AccessReads {
  return {
    ...s3KeyReads(db),
    async isNonceSpent(nonce) {
      const row = await db
        .selectFrom('spent_nonces')
        .select('nonce')
        .where('nonce', '=', nonce)
        .executeTakeFirst();
      return row !== undefined;
    },
    async findSession(sessionId) {
      const row = await db
        .selectFrom('sessions')
        .selectAll()
        .where('session_id', '=', sessionId)
        .executeTakeFirst();
      return row && sessionOf(row);
    },
    async listSessions(accountId, limit) {
      const rows = await db
        .selectFrom('sessions')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('revoked_at', 'is', null)
        .orderBy('created_at', 'desc')
        .orderBy('session_id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(sessionOf);
    },
    async findTokenByHash(hash) {
      const row = await db
        .selectFrom('api_tokens')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst();
      return row && tokenOf(row);
    },
    async listTokens(accountId) {
      const rows = await db
        .selectFrom('api_tokens')
        .selectAll()
        .where('account_id', '=', accountId)
        .orderBy('created_at')
        .orderBy('token_id')
        .execute();
      return rows.map(tokenOf);
    },
  };
}

export function accessWrites(db: Db): AccessWrites {
  return { ...nonceWrites(db), ...sessionWrites(db), ...tokenWrites(db), ...s3KeyWrites(db) };
}

function nonceWrites(db: Db): NonceWrites {
  return {
    async spendNonce(nonce, expiresAt) {
      const result = await db
        .insertInto('spent_nonces')
        .values({ nonce, expires_at: expiresAt })
        .onConflict((conflict) => conflict.column('nonce').doNothing())
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    },
    async deleteSpentNonces(before, limit) {
      const result = await db
        .deleteFrom('spent_nonces')
        .where('nonce', 'in', (eb) =>
          eb
            .selectFrom('spent_nonces')
            .select('nonce')
            .where('expires_at', '<', before)
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

function sessionWrites(db: Db): SessionWrites {
  return {
    async insertSession(session) {
      await db
        .insertInto('sessions')
        .values({
          session_id: session.sessionId,
          account_id: session.accountId,
          counter: session.counter,
          rotated_at: session.rotatedAt,
          created_at: session.createdAt,
          last_used_at: session.lastUsedAt,
          revoked_at: session.revokedAt ?? null,
          address: session.address ?? null,
          agent: session.agent ?? null,
        })
        .execute();
    },
    async rotateSession(sessionId, counter, at) {
      const result = await db
        .updateTable('sessions')
        .set({ counter: counter + 1, rotated_at: at, last_used_at: at })
        .where('session_id', '=', sessionId)
        .where('counter', '=', counter)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async touchSession(sessionId, at) {
      await db
        .updateTable('sessions')
        .set({ last_used_at: at })
        .where('session_id', '=', sessionId)
        .execute();
    },
    async revokeSession(sessionId, at) {
      const result = await db
        .updateTable('sessions')
        .set({ revoked_at: at })
        .where('session_id', '=', sessionId)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async revokeSessions(accountId, at, except) {
      let query = db
        .updateTable('sessions')
        .set({ revoked_at: at })
        .where('account_id', '=', accountId)
        .where('revoked_at', 'is', null);
      if (except !== undefined) query = query.where('session_id', '!=', except);
      await query.execute();
    },
    async deleteSessions({ createdBefore, lastUsedBefore, revokedBefore, limit }) {
      const result = await db
        .deleteFrom('sessions')
        .where('session_id', 'in', (eb) =>
          eb
            .selectFrom('sessions')
            .select('session_id')
            .where((or) =>
              or.or([
                or('created_at', '<', createdBefore),
                or('last_used_at', '<', lastUsedBefore),
                or('revoked_at', '<', revokedBefore),
              ]),
            )
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

function tokenWrites(db: Db): TokenWrites {
  return {
    async insertToken(token) {
      const standing = await db
        .selectFrom('api_tokens')
        .select('token_id')
        .where('account_id', '=', token.accountId)
        .where('name', '=', token.name)
        .executeTakeFirst();
      if (standing) throw new ServiceError('token_name_taken', 'A token has that name.');
      await db
        .insertInto('api_tokens')
        .values({
          token_id: token.tokenId,
          account_id: token.accountId,
          name: token.name,
          hash: token.hash,
          prefix: token.prefix,
          scopes: JSON.stringify(token.scopes),
          ip_allowlist: JSON.stringify(token.ipAllowlist),
          created_at: token.createdAt,
          expires_at: token.expiresAt ?? null,
          last_used_at: token.lastUsedAt ?? null,
        })
        .execute();
    },
    async deleteToken(accountId, name) {
      const row = await db
        .deleteFrom('api_tokens')
        .where('account_id', '=', accountId)
        .where('name', '=', name)
        .returning('token_id')
        .executeTakeFirst();
      return row && (row.token_id as TokenId);
    },
    async touchToken(tokenId, at) {
      await db
        .updateTable('api_tokens')
        .set({ last_used_at: at })
        .where('token_id', '=', tokenId)
        .execute();
    },
  };
}

export function sessionOf(row: SessionTable): Session {
  return {
    sessionId: row.session_id as SessionId,
    accountId: row.account_id as AccountId,
    counter: row.counter,
    rotatedAt: row.rotated_at as TimeMs,
    createdAt: row.created_at as TimeMs,
    lastUsedAt: row.last_used_at as TimeMs,
    revokedAt: orUndefined(row.revoked_at as TimeMs | null),
    address: orUndefined(row.address),
    agent: orUndefined(row.agent),
  };
}

function tokenOf(row: TokenTable): ApiToken {
  return {
    tokenId: row.token_id as TokenId,
    accountId: row.account_id as AccountId,
    name: row.name,
    hash: row.hash,
    prefix: row.prefix,
    scopes: JSON.parse(row.scopes) as readonly Scope[],
    ipAllowlist: JSON.parse(row.ip_allowlist) as readonly string[],
    createdAt: row.created_at as TimeMs,
    expiresAt: orUndefined(row.expires_at as TimeMs | null),
    lastUsedAt: orUndefined(row.last_used_at as TimeMs | null),
  };
}
