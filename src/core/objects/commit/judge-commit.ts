/**
 * Whether a commit may happen: the one judge of demands beside facts. Pure, and run by the engines
 * inside their transactions, perhaps more than once and in another thread than the use case's.
 */
import { ServiceError } from '../../errors.ts';
import type { Account } from '../../identity/account/account.ts';
import { requireEnabled } from '../../identity/account/require-enabled.ts';
import { checkStorageQuota } from '../../quota.ts';
import type {
  AccountDemand,
  CommitDemands,
  CommitFacts,
  PartDemands,
  PartFacts,
  UploadDemands,
  UploadFacts,
} from './commit-demands.ts';
import { checkDeleteConditions, checkWriteConditions } from './condition.ts';
import { type Footprint, partFootprint, versionFootprint } from './footprint.ts';
import { isSameVersion } from './same-version.ts';

/** What a refused `unchanged` says in its details, by which a use case tells it from conditions. */
export const UNCHANGED = 'source unchanged';

/**
 * Throws what the first demand says that does not hold: `account_disabled`, `quota_exceeded`,
 * `precondition_failed`, `object_not_found`.
 */
export function judgeCommit(demands: CommitDemands, { current, account }: CommitFacts): void {
  for (const demand of demands) {
    switch (demand.kind) {
      case 'conditions':
        checkWriteConditions(demand.conditions, current);
        break;
      case 'delete_conditions':
        checkDeleteConditions(demand.conditions, current);
        break;
      case 'unchanged':
        if (!isSameVersion(current, demand.version)) throw changed();
        break;
      case 'enabled':
      case 'quota':
        judgeAccount(demand, account, current && versionFootprint(current));
    }
  }
}

/** The same for a part. Throws `account_disabled`, `quota_exceeded`. */
export function judgePart(demands: PartDemands, facts: PartFacts): void {
  const { account, replaced } = facts;
  for (const demand of demands) judgeAccount(demand, account, replaced && partFootprint(replaced));
}

/**
 * The same for an upload that begins. Throws `account_disabled`, `quota_exceeded`,
 * `too_many_uploads`.
 */
export function judgeUpload(demands: UploadDemands, { account, openUploads }: UploadFacts): void {
  for (const demand of demands) {
    if (demand.kind !== 'open_uploads') judgeAccount(demand, account, undefined);
    else if (openUploads >= demand.max) throw tooManyUploads(demand.max);
  }
}

function judgeAccount(
  demand: AccountDemand,
  account: Account,
  replaced: Footprint | undefined,
): void {
  switch (demand.kind) {
    case 'enabled':
      requireEnabled(account);
      break;
    case 'quota':
      checkStorageQuota(demand.policy, account, {
        addedBytes: demand.countedBytes,
        replacedBytes: replaced?.countedBytes ?? 0,
      });
  }
}

function tooManyUploads(allowed: number): ServiceError {
  return new ServiceError(
    'too_many_uploads',
    `The account has ${allowed} multipart uploads open: complete or abort some.`,
    { details: { allowed } },
  );
}

function changed(): ServiceError {
  return new ServiceError('precondition_failed', 'The object has changed meanwhile.', {
    details: { condition: UNCHANGED },
  });
}
