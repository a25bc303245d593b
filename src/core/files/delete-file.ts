import { authorize } from '../identity/access/authorize.ts';
import type { Clock } from '../ports/clock.ts';
import type { Metadata } from '../ports/metadata/metadata.ts';
import type { Principal } from '../principal.ts';
import { parseStoredName } from './file-name.ts';

/** Deletes a file and ends its public links. Throws `object_not_found`. */
export async function deleteFile(
  deps: {
    readonly metadata: Pick<Metadata, 'deleteObject'>;
    readonly clock: Pick<Clock, 'now'>;
  },
  principal: Principal,
  name: string,
): Promise<void> {
  authorize(principal, 'files.delete');
  await deps.metadata.deleteObject({
    accountId: principal.accountId,
    bucketId: principal.defaultBucketId,
    key: parseStoredName(name),
    at: deps.clock.now(),
    demands: [{ kind: 'enabled' }, { kind: 'conditions', conditions: { ifMatch: '*' } }],
  });
}
