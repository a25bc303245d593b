/** The composition root's part for `verify`, `backup` and `restore` while no server runs. */

import type { Config } from '../config/config.ts';
import { BackupError } from '../core/ports/store-backup.ts';
import type { UpkeepOptions } from '../core/ports/upkeep-progress.ts';
import { storeUpkeep } from '../dialects/admin/store-upkeep.ts';
import type { Upkeep } from '../dialects/admin/upkeep.ts';
import type { RestoreDocument } from '../dialects/admin/upkeep-documents.ts';
import { type RestoreRequest, restoreBackup } from '../engines/backup/restore-backup.ts';
import { systemClock } from '../engines/clock/system-clock.ts';
import { dataDirectoryPaths } from '../engines/data-directory/data-directory.ts';
import { SILENT_LOG } from '../observe/log.ts';
import { openStore } from './open-store.ts';

/** Opens the store itself; takes its lock. */
export async function composeUpkeep(options: {
  readonly config: Config;
}): Promise<Upkeep & AsyncDisposable> {
  const store = await openStore(options.config, { log: SILENT_LOG });
  // Nothing is under way, so whatever has no row is left over.
  return {
    ...storeUpkeep(store, { orphanGraceMs: 0 }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** Restores into the empty data directory of `config`, then opens and verifies it. */
export async function restore(
  config: Config,
  request: RestoreRequest,
  options: UpkeepOptions,
): Promise<RestoreDocument> {
  if (config.metadata.kind !== 'sqlite') {
    throw new BackupError('backup_unsupported', {
      message: 'PINFOLD_DATABASE_URL is set, and a backup holds metadata of SQLite.',
      remedy: 'Take the setting away to restore into a data directory.',
    });
  }
  const deps = {
    paths: dataDirectoryPaths(config),
    metadataFile: config.metadata.file,
    blobDirectory: config.blobs.directory,
    now: systemClock.now,
  };
  const { number, takenAt, blobs, blobBytes, sessionsRevoked } = await restoreBackup(
    deps,
    request,
    options,
  );
  await using upkeep = await composeUpkeep({ config });
  return {
    directory: deps.paths.directory,
    number,
    taken_at: takenAt,
    blobs,
    blob_bytes: blobBytes,
    sessions_revoked: sessionsRevoked,
    verified: await upkeep.verify(options),
  };
}
