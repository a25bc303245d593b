/** The administration: of the running server, or of the store itself when none runs. */
import { existsSync } from 'node:fs';
import { type Config, loadConfig } from '../config/config.ts';
import { adminClient } from '../dialects/admin/admin-client.ts';
import type { Administration } from '../dialects/admin/administration.ts';
import type { Upkeep } from '../dialects/admin/upkeep.ts';
import { upkeepClient } from '../dialects/admin/upkeep-client.ts';
import { dataDirectoryPaths } from '../engines/data-directory/data-directory.ts';
import { CliRefusal } from './cli-failure.ts';
import type { CliWorld, Composition } from './cli-world.ts';
import { EXIT_CODES } from './exit-codes.ts';

/** Runs `work` with the administration; throws `CliRefusal` when there is no data directory. */
export function withAdministration<T>(
  world: CliWorld,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  return withEither(world, work, {
    overSocket: adminClient,
    compose: ({ composeAdministration }) => composeAdministration,
  });
}

/** Runs `work` with the server that runs; throws `CliRefusal` when none does. */
export async function withRunningServer<T>(
  world: CliWorld,
  work: (administration: Administration) => Promise<T>,
): Promise<T> {
  const { adminSocket } = pathsOf(world).paths;
  try {
    return await work(adminClient(adminSocket));
  } catch (error) {
    if (!isNobodyThere(error)) throw error;
    throw new CliRefusal('No server runs on this data directory.', {
      code: 'not_running',
      exitCode: EXIT_CODES.unavailable,
      hint: 'Start it, or set PINFOLD_DATA_DIR to the directory of the one that runs.',
    });
  }
}

/** The same with what takes long. */
export function withUpkeep<T>(world: CliWorld, work: (upkeep: Upkeep) => Promise<T>): Promise<T> {
  return withEither(world, work, {
    overSocket: upkeepClient,
    compose: ({ composeUpkeep }) => composeUpkeep,
  });
}

async function withEither<Calls, T>(
  world: CliWorld,
  work: (calls: Calls) => Promise<T>,
  ways: {
    readonly overSocket: (socketFile: string) => Calls;
    readonly compose: (
      composition: Composition,
    ) => (options: { readonly config: Config }) => Promise<Calls & AsyncDisposable>;
  },
): Promise<T> {
  const { config, paths } = pathsOf(world);
  try {
    return await work(ways.overSocket(paths.adminSocket));
  } catch (error) {
    if (!isNobodyThere(error)) throw error;
  }
  const composition = await world.loadComposition();
  await using opened = await ways.compose(composition)({ config });
  return await work(opened);
}

function pathsOf(world: CliWorld) {
  const config = loadConfig(world);
  const paths = dataDirectoryPaths(config);
  if (!existsSync(paths.formatFile)) {
    throw new CliRefusal(`There is no data directory at ${paths.directory}.`, {
      code: 'no_data_directory',
      exitCode: EXIT_CODES.notFound,
      hint: 'Start the server once, or set PINFOLD_DATA_DIR to where its data are.',
    });
  }
  return { config, paths };
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
