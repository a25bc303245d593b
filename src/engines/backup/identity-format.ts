/**
 * Which store a data directory and a backup belong to: `STORE` in the one, `PINFOLD-BACKUP` in
 * the other.
 */
import { readFile } from 'node:fs/promises';
import type { Random } from '../../core/ports/random.ts';
import { BackupError } from '../../core/ports/store-backup.ts';
import { writeFileDurably } from '../data-directory/durable-file.ts';
import { isErrno } from '../errno.ts';

/** The layout that this program writes and reads. */
const BACKUP_VERSION = 1;

const STORE_LINE = /^store ([0-9a-f-]{36})$/m;

/** The store's id; made when it has none, which is at its first backup. */
export async function ensureStoreId(file: string, random: Random): Promise<string> {
  const standing = STORE_LINE.exec((await readText(file)) ?? '')?.[1];
  if (standing !== undefined) return standing;
  const store = uuidOf(random.bytes(16));
  await writeFileDurably(file, `store ${store}\n`);
  return store;
}

/** The store whose backup stands behind `file`; `undefined` when none does. */
export async function readBackupStore(file: string): Promise<string | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  const version = Number(/^pinfold-backup (\d{1,9})$/m.exec(text)?.[1] ?? Number.NaN);
  const store = STORE_LINE.exec(text)?.[1];
  if (version > BACKUP_VERSION) {
    throw new BackupError('backup_newer_format', {
      message: `${file} says format ${version}, and this program knows formats up to ${BACKUP_VERSION}.`,
      remedy: 'Use the newer Pinfold that wrote the backup.',
    });
  }
  if (Number.isNaN(version) || store === undefined) {
    throw new BackupError('backup_damaged', {
      message: `${file} does not say whose backup it is.`,
      remedy: 'Use another backup; to make a new one, name an empty directory.',
    });
  }
  return store;
}

export async function writeBackupStore(file: string, store: string): Promise<void> {
  await writeFileDurably(file, `pinfold-backup ${BACKUP_VERSION}\nstore ${store}\n`);
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Version 4 of 16 random bytes (RFC 9562). */
function uuidOf(random: Uint8Array): string {
  const bytes = Buffer.from(random);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
