/** The administration: of the running server, or of the store itself when none runs. */
import { existsSync } from 'node:fs';
import { loadConfig } from '../config/config.ts';
import { adminClient } from '../dialects/admin/admin-client.ts';
import type { Administration } from '../dialects/admin/administration.ts';
import { dataDirectoryPaths } from '../engines/data-directory/data-directory.ts';
import { CliRefusal } from './cli-failure.ts';
import type { CliWorld } from './cli-world.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** Runs `work` with the administration; throws `CliRefusal` when there is no data directory. */
export async function withAdministration<T>(
  world: CliWorld,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  const config = loadConfig(world);
  const paths = dataDirectoryPaths(config);
  if (!existsSync(paths.formatFile)) {
    throw new CliRefusal(`There is no data directory at ${paths.directory}.`, {
      code: 'no_data_directory',
      exitCode: EXIT_CODES.notFound,
      hint: 'Start the server once, or set PINFOLD_DATA_DIR to where its data are.',
    });
  }
  try {
    return await work(adminClient(paths.adminSocket));
  } catch (error) {
    if (!isNobodyThere(error)) throw error;
  }
  const { composeAdministration } = await world.loadComposition();
  await using administration = await composeAdministration({ config });
  return await work(administration);
}

/** Whether nothing listens on the socket, so that the call has not reached anyone. */
function isNobodyThere(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const call = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  return (
    (code === 'ECONNREFUSED' && call === 'connect') ||
    (code === 'ENOENT' && (call === 'connect' || call === 'open'))
  );
}
