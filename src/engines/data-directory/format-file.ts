/**
 * The file FORMAT: one line, `pinfold <version>`, that says how the data directory is laid out. It
 * is written last at the first start, so that a directory that bears it is complete.
 */
import { readFile } from 'node:fs/promises';
import { isErrno } from '../errno.ts';
import { DataDirectoryError } from './data-directory-error.ts';
import { writeFileDurably } from './durable-file.ts';

/** The layout that this program writes; docs/formats/data-directory.md says what it holds. */
const FORMAT_VERSION = 1;

/** The version of an existing directory, or `undefined` when it has none yet. */
export async function readFormat(file: string): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const version = Number(/^pinfold ([1-9]\d{0,8})\n?$/.exec(text)?.[1] ?? Number.NaN);
  if (Number.isNaN(version)) {
    throw new DataDirectoryError('format_unreadable', {
      message: `${file} does not say which format the data directory has.`,
      remedy: `Restore it from a backup; it holds the line "pinfold ${FORMAT_VERSION}".`,
    });
  }
  if (version > FORMAT_VERSION) {
    throw new DataDirectoryError('newer_format', {
      message: `${file} says format ${version}, and this program knows formats up to ${FORMAT_VERSION}.`,
      remedy: 'Start the newer Pinfold that wrote it, or restore a backup from before the upgrade.',
    });
  }
  return version;
}

export async function writeFormat(file: string): Promise<void> {
  await writeFileDurably(file, `pinfold ${FORMAT_VERSION}\n`);
}
