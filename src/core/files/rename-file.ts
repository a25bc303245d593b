import { defineTransaction } from '../define-transaction.ts';
import { ServiceError } from '../errors.ts';
import { authorize } from '../identity/access/authorize.ts';
import type { AccountId, BucketId, ObjectKey, TimeMs } from '../ids.ts';
import { versionFootprint } from '../objects/commit/footprint.ts';
import { objectNotFound } from '../objects/read/read-object.ts';
import type { Clock } from '../ports/clock.ts';
import type { Transactions } from '../ports/metadata/metadata.ts';
import type { Principal } from '../principal.ts';
import { checkStorageQuota, type QuotaPolicy } from '../quota.ts';
import { parseNewName, parseStoredName } from './file-name.ts';

export type FileRename = {
  readonly name: string;
  readonly newName: string;
  /** What happens to a file that has the new name. */
  readonly onExisting: 'refuse' | 'overwrite';
};

/**
 * Gives a file another name at once and without touching its bytes; its links follow, those of a
 * file that it overwrites end. A new name that equals the old one changes nothing. Throws
 * `object_not_found`, `object_exists`, and `quota_exceeded` where a long name makes it count more
 * than is left.
 */
export async function renameFile(
  deps: {
    readonly metadata: Transactions;
    readonly clock: Pick<Clock, 'now'>;
    readonly quota: QuotaPolicy;
  },
  principal: Principal,
  rename: FileRename,
): Promise<string> {
  authorize(principal, 'files.write');
  if (rename.onExisting === 'overwrite') authorize(principal, 'files.delete');
  const bucketId = principal.defaultBucketId;
  const from = parseStoredName(rename.name);
  const to = rename.newName === rename.name ? from : parseNewName(rename.newName);
  const { onExisting } = rename;
  await deps.metadata.transact(RENAME_FILE, {
    accountId: principal.accountId,
    policy: deps.quota,
    bucketId,
    from,
    to,
    onExisting,
    at: deps.clock.now(),
  });
  return to;
}

type Renaming = Pick<FileRename, 'onExisting'> & {
  readonly accountId: AccountId;
  readonly policy: QuotaPolicy;
  readonly bucketId: BucketId;
  readonly from: ObjectKey;
  readonly to: ObjectKey;
  readonly at: TimeMs;
};

export const RENAME_FILE = defineTransaction(
  'rename_file',
  async (tx, { onExisting, accountId, policy, ...move }: Renaming) => {
    const { bucketId, from, to } = move;
    const moved = await tx.findObject(bucketId, from);
    if (moved === undefined) throw objectNotFound();
    if (from === to) return;
    const replaced = await tx.findObject(bucketId, to);
    if (onExisting === 'refuse' && replaced !== undefined) {
      throw new ServiceError('object_exists', 'A file of that name exists.');
    }
    const account = await tx.findAccount(accountId);
    if (account === undefined) throw new ServiceError('account_not_found', 'The account is gone.');
    const gone = [moved, ...(replaced === undefined ? [] : [replaced])].map(versionFootprint);
    checkStorageQuota(policy, account, {
      addedBytes: versionFootprint({ ...moved, key: to }).countedBytes,
      replacedBytes: gone.reduce((sum, { countedBytes }) => sum + countedBytes, 0),
    });
    await tx.moveObject(move);
  },
);
