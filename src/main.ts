/** The process: environment, signals, exit code; all else is in `cli/` and `compose.ts`. */
import { EXIT_CODES } from './cli/exit-codes.ts';
import { runCli } from './cli/run-cli.ts';
import { readEnvironment } from './config/env.ts';

// What is made on the disk is for this user only, also in a directory that others may enter.
process.umask(0o077);
const { stderr, stdout } = process;
const environment = readEnvironment();
const stopped = Promise.withResolvers<void>();
let isStopHeeded = false;
let hasSignal = false;

function onSignal(): void {
  // The first signal asks whoever listens; the second one does not ask.
  if (hasSignal || !isStopHeeded) process.exit(EXIT_CODES.interrupted);
  hasSignal = true;
  stopped.resolve();
}

process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);
// A reader that has seen enough (`pinfold config | head -1`) ends the command, and is no failure.
stdout.on('error', (error) =>
  process.exit(isClosedPipe(error) ? EXIT_CODES.ok : EXIT_CODES.failure),
);
// Notes that nobody can read any more stop nothing.
stderr.on('error', () => undefined);

const exitCode = await runCli(
  {
    environment,
    workingDirectory: process.cwd(),
    terminal: {
      writeResult: (text) => void stdout.write(text),
      writeNote: (text) => void stderr.write(text),
      hasColor: stderr.isTTY && !environment.isColorRefused,
      hasBars: stderr.isTTY && !environment.isColorRefused && !environment.isUnattended,
      elapsedMs: () => performance.now(),
    },
    loadComposition: async () => ({
      ...(await import('./compose/compose-server.ts')),
      ...(await import('./compose/compose-upkeep.ts')),
    }),
    untilStopped: () => {
      isStopHeeded = true;
      return stopped.promise;
    },
  },
  process.argv.slice(2),
);
// NOTE: a pipe may take its bytes later than the call that writes them.
stdout.write('', () => process.exit(exitCode));

function isClosedPipe(error: Error): boolean {
  return 'code' in error && error.code === 'EPIPE';
}
