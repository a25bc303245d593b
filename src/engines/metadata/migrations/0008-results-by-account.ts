/**
 * Results of completed uploads are found by account too, so that the oldest go when there are many;
 * the same index counts the open ones.
 */
import type { Migration } from './migration.ts';

export const resultsByAccount: Migration = {
  version: 8,
  name: 'results-by-account',
  statements: () => [
    'drop index multipart_uploads_open',
    `create index multipart_uploads_by_account
      on multipart_uploads (account_id, completed_at, upload_id)`,
  ],
};
