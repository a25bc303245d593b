/** Which master keys a restored store has: those that opened the secrets of the one backed up. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BackupError } from '../../core/ports/store-backup.ts';
import { parseMasterKeys } from '../../kit/keyring.ts';
import { makeDirectoryDurably, writeFileDurably } from '../data-directory/durable-file.ts';
import { readMasterKeyFile } from '../data-directory/master-key-file.ts';
import { isErrno } from '../errno.ts';
import { missingKeys } from './key-checks.ts';
import type { Manifest } from './manifest-format.ts';

export type KeyPlaces = {
  /** What the operator named. */
  readonly named: string | undefined;
  /** Where the backup has them, if it does. */
  readonly inBackup: string;
  /** Where the restored store will look for them; they may be there already. */
  readonly own: string;
};

/** Throws `restore_key_missing`, `restore_key_wrong`; writes nothing until `place` is called. */
export async function chooseMasterKey(
  { store, keys }: Pick<Manifest, 'store' | 'keys'>,
  places: KeyPlaces,
): Promise<{ readonly place: () => Promise<void> }> {
  const refuseWrong = (file: string, text: string) => {
    const missing = missingKeys(parseMasterKeys(text), { store, checks: keys.checks });
    if (missing.length === 0) return;
    throw new BackupError('restore_key_wrong', {
      message: `${file} does not hold the master keys of this backup (${missing.join(', ')}).`,
      remedy: 'Name the copy of the master key file that was made of this store.',
    });
  };
  // A key that stands at its place already would be used whatever else is named: it must fit too.
  const own = await readMasterKeyFile(places.own);
  if (own !== undefined) refuseWrong(places.own, own);
  const sources = [places.named, ...(keys.is_included ? [places.inBackup] : [])];
  for (const file of sources) {
    if (file === undefined) continue;
    const text = await readMasterKeyFile(file);
    if (text === undefined) throw keyMissing(`There is no master key file at ${file}.`);
    refuseWrong(file, text);
    return { place: () => placeKey(places.own, text) };
  }
  if (own === undefined) throw keyMissing('The backup holds no master keys.');
  return { place: async () => undefined };
}

function keyMissing(message: string): BackupError {
  return new BackupError('restore_key_missing', {
    message,
    remedy: 'Name your copy with --master-key-file: without it the secrets cannot be read.',
  });
}

async function placeKey(file: string, text: string): Promise<void> {
  if (await exists(file)) return;
  await makeDirectoryDurably(dirname(file));
  await writeFileDurably(file, text);
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
