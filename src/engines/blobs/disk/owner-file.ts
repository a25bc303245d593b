/**
 * Which metadata the blobs of a directory belong to. Another database names none of them, so to it
 * they all look like what a crash left; opened with it, they would be swept.
 */
import { join } from 'node:path';
import { ServiceError } from '../../../core/errors.ts';
import type { BlobRows } from '../../../core/ports/metadata/objects.ts';
import { isErrno } from '../../errno.ts';
import type { DiskIo } from './disk-io.ts';

export type OwnerDeps = {
  readonly io: DiskIo;
  readonly directory: string;
  readonly rows: Pick<BlobRows, 'listBlobs'>;
};

const OWNER_BYTES_MAX = 256;

/**
 * Refuses (`unavailable`) a directory whose blobs are another store's; puts the mark where there is
 * none yet. A directory with blobs and no mark is a restored one, and its rows must name some.
 */
export async function claimDirectory(deps: OwnerDeps, storeId: string): Promise<void> {
  const path = join(deps.directory, 'OWNER');
  const mark = `pinfold-blobs 1 ${storeId}\n`;
  const found = await readMark(deps.io, path);
  if (found === mark) return;
  const isTorn = found === undefined || !found.endsWith('\n');
  const isForeign = !isTorn || ((await holdsBlobs(deps)) && !(await namesBlobs(deps)));
  if (isForeign) {
    throw new ServiceError(
      'unavailable',
      `The blobs in ${deps.directory} belong to another database. Start with the database they ` +
        'were stored with (PINFOLD_DATABASE_URL), or with an empty data directory.',
    );
  }
  if (found !== undefined) await deps.io.removeFile(path);
  const file = await deps.io.createFile(path);
  try {
    await file.write([Buffer.from(mark)], 0);
    await file.syncBytes();
  } finally {
    await file.close();
  }
  await deps.io.syncDirectory(deps.directory);
}

async function readMark(io: DiskIo, path: string): Promise<string | undefined> {
  try {
    const file = await io.openFile(path);
    try {
      const bytes = Buffer.alloc(OWNER_BYTES_MAX);
      return bytes.toString('utf8', 0, await file.read(bytes, 0));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function holdsBlobs({ io, directory }: OwnerDeps): Promise<boolean> {
  const segments = await io.listDirectory(join(directory, 'segments'));
  const folders = await io.listDirectory(directory);
  return segments.length > 0 || folders.some(({ name }) => /^[0-9a-f]{2}$/.test(name));
}

async function namesBlobs({ rows }: OwnerDeps): Promise<boolean> {
  return (await rows.listBlobs({ after: undefined, limit: 1 })).length > 0;
}
