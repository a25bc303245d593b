/** Verifying and backing up: what takes minutes or hours, and says meanwhile how far it is. */
import type { BackupRequest } from '../../core/ports/store-backup.ts';
import type { UpkeepOptions } from '../../core/ports/upkeep-progress.ts';
import type { BackupDocument, VerifyDocument } from './upkeep-documents.ts';

/** By the running server, or on the store itself. */
export interface Upkeep {
  /** Throws `aborted`. */
  verify(options: UpkeepOptions): Promise<VerifyDocument>;
  /** Throws `BackupError`, `aborted`. */
  backup(request: BackupRequest, options: UpkeepOptions): Promise<BackupDocument>;
}
