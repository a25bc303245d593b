/** Checksums stand with the version and the part that they are of (decision 0013). */
import type { Migration } from './migration.ts';

export const checksumColumns: Migration = {
  version: 2,
  name: 'checksums',
  statements: ({ text }) => [
    `alter table objects add column checksum ${text}`,
    `alter table object_versions add column checksum ${text}`,
    `alter table content_parts add column checksum ${text}`,
    'drop table blob_checksums',
  ],
};
