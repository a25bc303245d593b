/** What a principal may do: the one place that decides it, and it denies by default. */
import { ServiceError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import type { Principal, Scope } from '../../principal.ts';

/**
 * What an API token needs for each action (files-api.md Authentication, pinning-api.md): a scope;
 * `any` live token; or `none`, where only a session or the app key will do.
 */
const TOKEN_NEEDS = {
  'files.read': 'files:read',
  'files.list': 'files:read',
  'files.write': 'files:write',
  'files.delete': 'files:delete',
  'links.read': 'files:read',
  'links.write': 'files:write',
  'links.delete': 'files:delete',
  'operations.read': 'files:read',
  'pins.read': 'files:read',
  'pins.write': 'files:write',
  'pins.delete': 'files:delete',
  'clusters.read': 'cluster:read',
  /** Who the token belongs to: GET /user/me, without its secrets. */
  'account.identify': 'any',
  'account.read': 'account:read',
  'account.secrets': 'none',
  'account.write': 'none',
  'app_key.rotate': 'none',
  'tokens.manage': 'tokens:write',
  's3_keys.manage': 's3:keys',
  /** Presigning: by whichever key the account has, so not for tokens. */
  's3_keys.sign': 'none',
  'buckets.manage': 'none',
  'credits.use': 'none',
  /** Managing accounts of others; for the role `operator`. */
  'operator.accounts': 'none',
} as const satisfies Readonly<Record<string, Scope | 'any' | 'none'>>;

export type Action = keyof typeof TOKEN_NEEDS;

/**
 * Lets `principal` do `action`, on things of `owner` if one is given, or throws: `missing_scope`
 * with `required` when its token does not reach so far, else `access_denied`. S3 keys do none of
 * these: what they may is decided by `authorizeObjects`.
 */
export function authorize(principal: Principal, action: Action, owner?: AccountId): void {
  if (principal.credential.kind === 's3Key') throw denied();
  const lacking = lackingScope(principal, action);
  if (lacking !== undefined) {
    throw new ServiceError('missing_scope', `The token lacks the scope ${lacking}.`, {
      details: { required: lacking },
    });
  }
  const isOthers = owner !== undefined && owner !== principal.accountId;
  const isBarred = action === 'operator.accounts' ? principal.role !== 'operator' : isOthers;
  if (isBarred) throw denied();
}

/** Whether `authorize` would let it pass; for what is shown or left out. */
export function isAuthorized(principal: Principal, action: Action): boolean {
  if (principal.credential.kind === 's3Key') return false;
  if (lackingScope(principal, action) !== undefined) return false;
  return action !== 'operator.accounts' || principal.role === 'operator';
}

/** The scope, or `session` where no scope suffices, that the principal's token lacks. */
function lackingScope({ credential }: Principal, action: Action): Scope | 'session' | undefined {
  if (credential.kind !== 'token') return undefined;
  const needed = TOKEN_NEEDS[action];
  if (needed === 'any') return undefined;
  if (needed === 'none') return 'session';
  return credential.scopes.has(needed) ? undefined : needed;
}

function denied(): ServiceError {
  return new ServiceError('access_denied', 'This is not yours to do.');
}
