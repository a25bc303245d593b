import { BackupError, type StoreBackup } from '../../core/ports/store-backup.ts';

/** Of a store whose metadata are in PostgreSQL: that has means of its own, and knows them best. */
export function unsupportedBackup(blobDirectory: string): StoreBackup {
  return {
    write: async () => {
      throw new BackupError('backup_unsupported', {
        message: 'The metadata are in PostgreSQL, which this command does not copy.',
        remedy: `Stop the server, or take both from one snapshot: the database by pg_dump, and the directory ${blobDirectory}.`,
      });
    },
  };
}
