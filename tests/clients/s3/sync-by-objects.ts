/** Keeps a folder and a prefix the same with the calls that a library has. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { S3Steps, SyncedFolder } from './s3-tool.ts';
import { readTree } from './trees.ts';

/** As a user of a library writes it: what is gone is deleted, the rest is stored or read anew. */
export function syncByObjects(
  steps: Pick<S3Steps, 'put' | 'get' | 'list' | 'deleteKeys'>,
): Pick<S3Steps, 'syncUp' | 'syncDown'> {
  const listPaths = async ({ bucket, prefix }: SyncedFolder) => {
    const { keys } = await steps.list({ bucket, prefix });
    return keys.map((key) => key.slice(prefix.length));
  };
  return {
    syncUp: async (input) => {
      const { bucket, prefix, folder } = input;
      const paths = [...(await readTree(folder)).keys()];
      const gone = (await listPaths(input)).filter((path) => !paths.includes(path));
      for (const path of paths) {
        await steps.put({ bucket, key: prefix + path, file: join(folder, path) });
      }
      if (gone.length === 0) return;
      await steps.deleteKeys({ bucket, keys: gone.map((path) => prefix + path) });
    },
    syncDown: async (input) => {
      const { bucket, prefix, folder } = input;
      await mkdir(folder, { recursive: true });
      const paths = await listPaths(input);
      for (const path of (await readTree(folder)).keys()) {
        if (!paths.includes(path)) await rm(join(folder, path));
      }
      for (const path of paths) {
        const file = join(folder, path);
        await mkdir(dirname(file), { recursive: true });
        await steps.get({ bucket, key: prefix + path, file });
      }
    },
  };
}
