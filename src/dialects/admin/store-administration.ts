/** The administration of an open store: the use cases, in the words of the documents. */
import { ServiceError } from '../../core/errors.ts';
import type { Account } from '../../core/identity/account/account.ts';
import {
  createAccount,
  disableAccount,
  enableAccount,
  endAllSessions,
  listAccounts,
  listAudit,
  setAccountLimits,
  setAccountRole,
  showAccount,
} from '../../core/identity/account/administer-accounts.ts';
import { parseAccountId, timeMs } from '../../core/identity/names.ts';
import type { S3Site } from '../../core/identity/s3-keys/export-s3-key.ts';
import {
  createS3Key,
  listS3Keys,
  type NamedS3Key,
  revokeS3Key,
} from '../../core/identity/s3-keys/s3-keys.ts';
import {
  createApiToken,
  listApiTokens,
  revokeApiToken,
} from '../../core/identity/tokens/api-tokens.ts';
import type { AccountId, TimeMs } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Metadata } from '../../core/ports/metadata/metadata.ts';
import type { Random } from '../../core/ports/random.ts';
import type { Keyring } from '../../kit/keyring.ts';
import type { Administration } from './administration.ts';
import type { AccountDocument, LimitsChangeDocument } from './documents.ts';

const DAY_MS = 86_400_000;

/** Whoever can open the store is its operator. */
const actor = 'admin';

export type StoreAdministrationDeps = {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly s3Site: () => S3Site;
};

export function storeAdministration(deps: StoreAdministrationDeps): Administration {
  /** Changes the account that `name` means and answers it as it is then. */
  const change = async (
    name: string,
    apply: (on: { readonly actor: 'admin'; readonly accountId: AccountId }) => Promise<void>,
  ): Promise<AccountDocument> => {
    const { accountId } = await showAccount(deps, { actor, account: name });
    await apply({ actor, accountId });
    return documentOf(await showAccount(deps, { actor, account: accountId }));
  };
  return {
    listAccounts: async ({ after, limit }) => {
      const accounts = await listAccounts(deps, { actor, after: positionOf(after), limit });
      const last = accounts.length < limit ? undefined : accounts.at(-1);
      return { accounts: accounts.map(documentOf), next_after: last?.accountId ?? null };
    },
    createAccount: async ({ username }) => {
      const { account, appKey } = await createAccount(deps, { actor, username });
      return { ...documentOf(account), user_app_key: appKey };
    },
    getAccount: async (account) => documentOf(await showAccount(deps, { actor, account })),
    disableAccount: (name) => change(name, (on) => disableAccount(deps, on)),
    enableAccount: (name) => change(name, (on) => enableAccount(deps, on)),
    changeLimits: (name, limits) =>
      change(name, (on) => setAccountLimits(deps, { ...on, limits: limitsOf(limits) })),
    endSessions: (name) => change(name, (on) => endAllSessions(deps, on)),
    addOperator: (name) => change(name, (on) => setAccountRole(deps, { ...on, role: 'operator' })),
    removeOperator: (name) => change(name, (on) => setAccountRole(deps, { ...on, role: 'user' })),
    ...tokensOf(deps),
    createS3Key: async (name, { name: keyName, read_only: isReadOnly = false, bucket, prefix }) => {
      const { accountId } = await showAccount(deps, { actor, account: name });
      const request = {
        name: keyName ?? undefined,
        isReadOnly,
        bucket: bucket ?? undefined,
        prefix: prefix ?? undefined,
      };
      const made = await createS3Key(deps, { actor, accountId, request });
      const { endpoint, region, apiUrl } = deps.s3Site();
      return {
        ...s3KeyDocument(made),
        secret: made.secret,
        default_bucket: made.account.slug,
        endpoint,
        region,
        api_url: apiUrl,
      };
    },
    listS3Keys: async (name) => {
      const { accountId } = await showAccount(deps, { actor, account: name });
      const keys = await listS3Keys(deps, { actor, accountId });
      return {
        keys: keys.map((named) => ({
          ...s3KeyDocument(named),
          last_used_at: timeText(named.key.lastUsedAt),
          revoked_at: timeText(named.key.revokedAt),
        })),
      };
    },
    revokeS3Key: async (accessKeyId) => {
      await revokeS3Key(deps, { actor, accessKeyId });
      return { access_key_id: accessKeyId, revoked: true };
    },
    listAudit: async ({ account, limit }) => {
      const of = account === undefined ? undefined : await showAccount(deps, { actor, account });
      const entries = await listAudit(deps, { actor, accountId: of?.accountId, limit });
      return {
        entries: entries.map((entry) => ({
          at: new Date(entry.at).toISOString(),
          user_id: entry.accountId,
          actor: entry.actor,
          action: entry.action,
          subject: entry.subject ?? null,
        })),
      };
    },
  };
}

function tokensOf(
  deps: StoreAdministrationDeps,
): Pick<Administration, 'createToken' | 'listTokens' | 'revokeToken'> {
  return {
    createToken: async (name, { name: tokenName, scopes, expires_in_days: days }) => {
      const { accountId } = await showAccount(deps, { actor, account: name });
      const expiresAt = days === undefined ? undefined : timeMs(deps.clock.now() + days * DAY_MS);
      const request = { name: tokenName, scopes, ipAllowlist: undefined, expiresAt };
      const { secret, token } = await createApiToken(deps, { actor, accountId, request });
      return {
        token: secret,
        name: token.name,
        scopes: [...token.scopes],
        expires_at: timeText(token.expiresAt),
      };
    },
    listTokens: async (account) => {
      const { accountId } = await showAccount(deps, { actor, account });
      const tokens = await listApiTokens(deps, { actor, accountId });
      return {
        tokens: tokens.map((token) => ({
          name: token.name,
          scopes: [...token.scopes],
          expires_at: timeText(token.expiresAt),
          prefix: token.prefix,
          ip_allowlist: [...token.ipAllowlist],
          created_at: new Date(token.createdAt).toISOString(),
          last_used_at: timeText(token.lastUsedAt),
        })),
      };
    },
    revokeToken: async (account, name) => {
      const { accountId } = await showAccount(deps, { actor, account });
      await revokeApiToken(deps, { actor, accountId, name });
      return { name, revoked: true };
    },
  };
}

function documentOf(account: Account): AccountDocument {
  const { entitlements } = account;
  return {
    user_id: account.accountId,
    account: account.slug,
    username: account.username ?? null,
    email: account.email ?? null,
    wallet_public_key: account.wallet ?? null,
    role: account.role,
    plan: account.plan,
    disabled_at: timeText(account.disabledAt),
    limits: {
      storage_bytes: byteCount(entitlements.storageBytes),
      egress_bytes: byteCount(entitlements.egressBytes),
      buckets: entitlements.buckets ?? null,
    },
    stored_bytes: Number(account.storedBytes),
    counted_bytes: Number(account.countedBytes),
    created_at: new Date(account.createdAt).toISOString(),
  };
}

function s3KeyDocument({ key, bucket }: NamedS3Key) {
  return {
    access_key_id: key.accessKeyId,
    name: key.name ?? null,
    read_only: key.isReadOnly,
    bucket: bucket ?? null,
    prefix: key.prefix ?? null,
    created_at: new Date(key.createdAt).toISOString(),
  };
}

function limitsOf(change: LimitsChangeDocument) {
  const { storage_bytes: storage, egress_bytes: egress, buckets } = change;
  return {
    ...(storage === undefined ? {} : { storageBytes: storage === null ? null : BigInt(storage) }),
    ...(egress === undefined ? {} : { egressBytes: egress === null ? null : BigInt(egress) }),
    ...(buckets === undefined ? {} : { buckets }),
  };
}

function positionOf(after: string | undefined): AccountId | undefined {
  if (after === undefined) return undefined;
  const accountId = parseAccountId(after);
  if (accountId !== undefined) return accountId;
  const details = { field: 'after' };
  throw new ServiceError('invalid_cursor', 'The position is not a user id.', { details });
}

function timeText(time: TimeMs | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}

/** JSON numbers are exact up to 2^53, nine petabytes; no greater limit can be set here. */
function byteCount(bytes: bigint | undefined): number | null {
  return bytes === undefined ? null : Number(bytes);
}
