/** Objects whose content hash is still to be made are found without looking at all others. */
import type { Migration } from './migration.ts';

export const unhashedIndex: Migration = {
  version: 3,
  name: 'unhashed',
  statements: () => [
    `create index objects_unhashed on objects (created_at, bucket_id, key)
      where content_hash is null`,
  ],
};
