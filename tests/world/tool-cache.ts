/** Where tools that are built from source are kept, outside the tree: they outlive a clone. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export function toolCache(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'pinfold', 'tools');
}

/** The search path that programs of tests are started with. */
export function searchPath(): string {
  return process.env['PATH'] ?? '';
}
