/** A disk of its own that is soon full, where the system lets us mount one. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { freshDirectory } from '../world/server.ts';

export type SmallDisk = Disposable & { readonly directory: string };

/** Answers `undefined` where mounting is not permitted. */
export async function mountSmallDisk(sizeBytes: number): Promise<SmallDisk | undefined> {
  const directory = await freshDirectory();
  const options = ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', directory];
  try {
    execFileSync('mount', options, { stdio: 'pipe' });
  } catch {
    rmSync(directory, { recursive: true, force: true });
    return undefined;
  }
  return {
    directory,
    [Symbol.dispose]: () => {
      execFileSync('umount', ['-l', directory], { stdio: 'pipe' });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
