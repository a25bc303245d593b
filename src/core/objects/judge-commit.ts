/**
 * Whether a commit may happen: the one judge of demands beside facts. Pure, and run by the engines
 * inside their transactions, perhaps more than once and in another thread than the use case's.
 */
import { ServiceError } from '../errors.ts';
import { requireEnabled } from '../identity/account/require-enabled.ts';
import { checkStorageQuota } from '../quota.ts';
import type {
  AccountDemand,
  CommitDemands,
  CommitFacts,
  PartDemands,
  PartFacts,
} from './commit-demands.ts';
import { checkDeleteConditions, checkWriteConditions } from './condition.ts';
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
        judgeAccount(demand, { replaced: current, account });
    }
  }
}

/** The same for a part. Throws `account_disabled`, `quota_exceeded`. */
export function judgePart(demands: PartDemands, facts: PartFacts): void {
  for (const demand of demands) judgeAccount(demand, facts);
}

function judgeAccount(demand: AccountDemand, { replaced, account }: PartFacts): void {
  switch (demand.kind) {
    case 'enabled':
      requireEnabled(account);
      break;
    case 'quota':
      checkStorageQuota(demand.policy, account, {
        sizeBytes: demand.sizeBytes,
        replacedBytes: replaced?.sizeBytes ?? 0,
      });
  }
}

function changed(): ServiceError {
  return new ServiceError('precondition_failed', 'The object has changed meanwhile.', {
    details: { condition: UNCHANGED },
  });
}
