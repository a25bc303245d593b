/** `pinfold serve`: runs the server until it is told to stop, or until its store fails. */
import { type Config, loadConfig } from '../../config/config.ts';
import { CliRefusal } from '../cli-failure.ts';
import type { CliWorld, RunningServer } from '../cli-world.ts';
import { EXIT_CODES } from '../exit-codes.ts';

export async function serve(world: CliWorld): Promise<void> {
  const config = loadConfig(world);
  const stopped = world.untilStopped().then(() => undefined);
  const { composeServer } = await world.loadComposition();
  const server = await composeServer({ config });
  let reason: Error | undefined;
  try {
    world.terminal.writeNote(greeting(config, server));
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
function greeting(config: Config, { addresses }: RunningServer): string {
  const url = config.publicUrl ?? addresses.api;
  const signup =
    config.signup.kind === 'open'
      ? `curl ${url}/users -H 'content-type: application/json' -d '{"username":"ann"}'`
      : 'pinfold admin accounts create ann';
  return `
Pinfold is ready.

  API      ${url}
  Metrics  ${addresses.metrics}
  Data     ${config.dataDirectory}
  Key      ${config.masterKeyFile} (keep a copy apart from the data)

First steps:
  Make an account    ${signup}
  Upload a file      curl -T photo.jpg -X POST -H "Authorization: ApiKey $KEY" '${url}/upload?file_name=photo.jpg'
  Give it a link     curl ${url}/createPublicLink -H "Authorization: ApiKey $KEY" -d '{"file_name":"photo.jpg"}'
  Be its operator    pinfold admin operator add ann

Ctrl-C stops it.

`;
}
