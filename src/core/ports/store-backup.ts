/** Backups: a whole store as it stands at one moment, kept in a directory of its own. */
import type { BlobId, TimeMs } from '../ids.ts';
import type { UpkeepOptions } from './upkeep-progress.ts';

export type BackupRequest = {
  /** Absolute path. */
  readonly directory: string;
  /** Whether the master keys go into the backup too. */
  readonly withKeys: boolean;
};

/** A blob whose bytes could not be copied whole. */
export type BlobLoss = { readonly blobId: BlobId; readonly reason: 'missing' | 'damaged' };

export type BackupReport = {
  readonly number: number;
  readonly takenAt: TimeMs;
  /** Blobs that the backup holds, and their bytes. */
  readonly blobs: number;
  readonly blobBytes: number;
  /** Bytes that this run wrote, the metadata's too. */
  readonly copiedBytes: number;
  /** Bytes of blob files and segments that stood there already. */
  readonly reusedBytes: number;
  readonly losses: readonly BlobLoss[];
};

export interface StoreBackup {
  /**
   * Makes the directory hold the store as it stands now; the store goes on serving. Until it
   * resolves the directory holds what it held before. Throws `BackupError`, `aborted`.
   */
  write(request: BackupRequest, options: UpkeepOptions): Promise<BackupReport>;
}

export const BACKUP_FAULTS = [
  /** The engines of this store are backed up by their own means. */
  'backup_unsupported',
  /** Another backup of this store is under way. */
  'backup_running',
  /** The directory holds something else, or is part of the store. */
  'backup_directory_unfit',
  /** It is the backup of another store. */
  'backup_of_other_store',
  /** There is no (whole) backup. */
  'backup_missing',
  'backup_newer_format',
  /** What the backup cannot do without is missing or changed. */
  'backup_damaged',
  'backup_disk_full',
  /** The data directory to restore into holds something. */
  'restore_not_empty',
  'restore_key_missing',
  'restore_key_wrong',
] as const;

export type BackupFault = (typeof BACKUP_FAULTS)[number];

/** A backup or restore that cannot be: the message says what is wrong, `remedy` what to do. */
export class BackupError extends Error {
  readonly fault: BackupFault;
  readonly remedy: string;

  constructor(
    fault: BackupFault,
    words: { readonly message: string; readonly remedy: string; readonly cause?: unknown },
  ) {
    super(words.message, words.cause === undefined ? undefined : { cause: words.cause });
    this.name = 'BackupError';
    this.fault = fault;
    this.remedy = words.remedy;
  }
}
