/** `pinfold serve`: runs the server until it is told to stop, or until its store fails. */
import { type Config, loadConfig } from '../../config/config.ts';
import type { StoreFailure } from '../../core/ports/store-failure.ts';
import { CliRefusal } from '../cli-failure.ts';
import type { CliWorld, RunningServer } from '../cli-world.ts';
import { EXIT_CODES } from '../exit-codes.ts';

export async function serve(world: CliWorld): Promise<void> {
  const config = loadConfig(world);
  const stopped = world.untilStopped().then(() => undefined);
  const { composeServer } = await world.loadComposition();
  const server = await composeServer({ config });
  let reason: StoreFailure | undefined;
  try {
    world.terminal.writeNote(greeting(world, config, server));
    reason = await Promise.race([stopped, server.failed]);
    world.terminal.writeNote('Stopping: waiting for requests under way. Ctrl-C ends at once.\n');
  } finally {
    await server.close({ graceMs: config.shutdownGraceMs });
  }
  if (reason === undefined) return;
  throw new CliRefusal(`The server had to stop: ${reason.message}`, {
    code: 'server_failed',
    exitCode: EXIT_CODES.failure,
    hint: 'Nothing that was acknowledged is lost. Look at the disk and the log, then start it again.',
  });
}

/** Where to go, and the first things to do there. */
function greeting(world: CliWorld, config: Config, { addresses }: RunningServer): string {
  const url = config.publicUrl ?? addresses.api;
  const pinfold = world.environment.isNpmScript ? 'npm run pinfold --' : 'pinfold';
  const account =
    config.signup.kind === 'open'
      ? `curl ${url}/users -d '{"username":"ann"}'`
      : `${pinfold} admin accounts create ann`;
  const auth = `-H "Authorization: ApiKey $KEY"`;
  return `
Pinfold is ready. Clients are told these addresses (PINFOLD_PUBLIC_URL, PINFOLD_S3_PUBLIC_URL):

  API      ${url}
  S3       ${addresses.s3}
  Metrics  ${addresses.metrics}
  Data     ${config.dataDirectory}
  Key      ${config.masterKeyFile} (keep a copy apart from the data)

First steps, with KEY being the app key that the first one answers:
  Make an account    ${account}
  Upload a file      curl ${auth} --data-binary @photo.jpg '${url}/upload?file_name=photo.jpg'
  Share it           curl ${auth} -d '{"file_name":"photo.jpg"}' ${url}/createPublicLink
  Read it            curl '${url}/publicDownload?hash=<link_hash>' -o photo.jpg
  Make an S3 key     curl ${auth} -X POST '${url}/api/s3/keys?format=env'
  Operate accounts   ${pinfold} admin --help

Ctrl-C stops it.

`;
}
