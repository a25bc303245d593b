import { defineTransaction } from '../define-transaction.ts';
import { ServiceError } from '../errors.ts';
import { authorize } from '../identity/access/authorize.ts';
import type { BucketId, ObjectKey, TimeMs } from '../ids.ts';
import { objectNotFound } from '../objects/read-object.ts';
import type { Clock } from '../ports/clock.ts';
import type { Transactions } from '../ports/metadata/metadata.ts';
import type { Principal } from '../principal.ts';
import { parseNewName, parseStoredName } from './file-name.ts';

export type FileRename = {
  readonly name: string;
  readonly newName: string;
  /** What happens to a file that has the new name. */
  readonly onExisting: 'refuse' | 'overwrite';
};

/**
 * Gives a file another name at once and without touching its bytes; its links follow. A new name
 * that equals the old one changes nothing. Throws `object_not_found`, `object_exists`.
 */
export async function renameFile(
  deps: { readonly metadata: Transactions; readonly clock: Pick<Clock, 'now'> },
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
    bucketId,
    from,
    to,
    onExisting,
    at: deps.clock.now(),
  });
  return to;
}

type Renaming = Pick<FileRename, 'onExisting'> & {
  readonly bucketId: BucketId;
  readonly from: ObjectKey;
  readonly to: ObjectKey;
  readonly at: TimeMs;
};

export const RENAME_FILE = defineTransaction(
  'rename_file',
  async (tx, { onExisting, ...move }: Renaming) => {
    const { bucketId, from, to } = move;
    if ((await tx.findObject(bucketId, from)) === undefined) throw objectNotFound();
    if (from === to) return;
    if (onExisting === 'refuse' && (await tx.findObject(bucketId, to)) !== undefined) {
      throw new ServiceError('object_exists', 'A file of that name exists.');
    }
    await tx.moveObject(move);
  },
);
