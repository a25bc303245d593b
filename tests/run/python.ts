/** Makes the Python environment of the client tests, once per set of pinned packages. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pythonFolder, pythonProgram } from '../world/python.ts';

const run = promisify(execFile);

/** When it cannot be made, says why; the tests that need it are then skipped. */
export async function readyPython(
  root: string,
  say: (line: string) => void,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const requirements = join(root, 'tests', 'clients', 'requirements.txt');
  const folder = pythonFolder(root);
  const stamp = join(folder, 'pinfold-requirements.txt');
  const wanted = readFileSync(requirements, 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('making the Python environment of the client tests');
  rmSync(folder, { recursive: true, force: true });
  try {
    await run('python3', ['-m', 'venv', folder], options);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await run(pythonProgram(root), [...pip, '-r', requirements], options);
    writeFileSync(stamp, wanted);
  } catch (error) {
    options.signal.throwIfAborted();
    rmSync(folder, { recursive: true, force: true });
    say(`could not make it: ${error instanceof Error ? error.message : String(error)}`);
  }
}
