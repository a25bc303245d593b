/** Runs one command line and says how it ended. */
import { CommanderError } from 'commander';
import { answerFailure } from './answer.ts';
import { type CliFailure, CliVerdict, failureOf } from './cli-failure.ts';
import type { CliWorld } from './cli-world.ts';
import { EXIT_CODES, type ExitCode } from './exit-codes.ts';
import { buildProgram } from './program.ts';

/** `argv`: the words after the program's name. Never throws. */
export async function runCli(world: CliWorld, argv: readonly string[]): Promise<ExitCode> {
  try {
    await buildProgram(world).parseAsync(argv, { from: 'user' });
    return EXIT_CODES.ok;
  } catch (error) {
    if (isHelp(error) && error.exitCode === 0) return EXIT_CODES.ok;
    if (error instanceof CliVerdict) return error.exitCode;
    const failure = isHelp(error) ? NO_COMMAND : failureOf(error);
    // NOTE: a line that could not be parsed may still say which answer its sender reads.
    const json = argv.includes('--json');
    if (!isHelp(error) || json) answerFailure(world.terminal, failure, { json });
    return failure.exitCode;
  }
}

const NO_COMMAND: CliFailure = {
  code: 'usage',
  message: 'No command was given.',
  hint: 'Add --help to see the commands.',
  requestId: undefined,
  exitCode: EXIT_CODES.usage,
};

/** Help and version have written their text already; help that nobody asked for is a refusal. */
function isHelp(error: unknown): error is CommanderError {
  return (
    error instanceof CommanderError &&
    ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(error.code)
  );
}
