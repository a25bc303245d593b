/** The file of the master keys: read with care for who else can read it, made at first start. */
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Random } from '../../core/ports/random.ts';
import {
  MASTER_KEY_RANDOM_BYTES,
  MasterKeyFileError,
  newMasterKeyLine,
  parseMasterKeys,
} from '../../kit/keyring.ts';
import { isErrno } from '../errno.ts';
import { DataDirectoryError } from './data-directory-error.ts';
import { makeDirectoryDurably, writeFileDurably } from './durable-file.ts';

/** A thousand keys take less than half of this. */
const FILE_BYTES_MAX = 256 * 1024;

const HEADER = [
  '# Master keys of this Pinfold, one a line, the newest last. Keep a copy apart from the data:',
  '# without them the secrets in the data directory cannot be read again.',
].join('\n');

/** The text of the file, checked; `undefined` when there is none. */
export async function readMasterKeyFile(file: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readPrivateText(file);
    parseMasterKeys(text);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    if (!(error instanceof MasterKeyFileError)) throw error;
    throw new DataDirectoryError('key_malformed', {
      message: `The master key file ${file} cannot be used: ${error.message}`,
      remedy: 'Restore it from your copy, or point PINFOLD_MASTER_KEY_FILE to the right file.',
      cause: error,
    });
  }
  return text;
}

/** Makes the file with one fresh key and answers its text. */
export async function makeMasterKeyFile(random: Random, file: string): Promise<string> {
  const line = newMasterKeyLine(random.bytes(MASTER_KEY_RANDOM_BYTES));
  const text = `${HEADER}\n${line}\n`;
  await makeDirectoryDurably(dirname(file));
  await writeFileDurably(file, text);
  return text;
}

async function readPrivateText(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    // NOTE: of the open handle, so that the file judged is the file read.
    const { mode, uid, size } = await handle.stat();
    if (isExposed({ mode, isOwn: uid === process.getuid?.() })) {
      throw new DataDirectoryError('key_exposed', {
        message: `Other users can read the master key file ${file}.`,
        remedy: `Run: chmod 600 ${file}; if they may have read it, rotate the key.`,
      });
    }
    if (size > FILE_BYTES_MAX) throw new MasterKeyFileError('The file is too large.');
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/**
 * A file of our own must be ours alone. One that another user owns (a secret mounted by an
 * orchestrator) can only be read through its group, so the group may read it there.
 */
function isExposed(file: { readonly mode: number; readonly isOwn: boolean }): boolean {
  if (process.platform === 'win32') return false;
  return (file.mode & (file.isOwn ? 0o077 : 0o037)) !== 0;
}
