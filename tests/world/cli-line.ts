/** Runs one command line in a world of its own: a directory, an environment and two texts. */

import type { CliWorld, Composition } from '../../src/cli/cli-world.ts';
import { runCli } from '../../src/cli/run-cli.ts';
import { environmentOf } from '../../src/config/env.ts';
import { systemClock } from '../../src/engines/clock/system-clock.ts';
import { systemRandom } from '../../src/engines/random/system-random.ts';

export type CliOutcome = {
  readonly exitCode: number;
  readonly result: string;
  readonly notes: string;
};

export type CliLine = {
  readonly directory: string;
  readonly argv: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly composition?: Partial<Composition>;
  readonly untilStopped?: () => Promise<void>;
};

export async function runLine(line: CliLine): Promise<CliOutcome> {
  const results: string[] = [];
  const notes: string[] = [];
  const refuse = () => Promise.reject(new Error('the test composes nothing'));
  const world: CliWorld = {
    environment: environmentOf(line.variables ?? {}),
    workingDirectory: line.directory,
    terminal: {
      writeResult: (text) => results.push(text),
      writeNote: (text) => notes.push(text),
      hasColor: false,
      hasBars: false,
      elapsedMs: () => 0,
    },
    loadComposition: async () => ({
      machine: { clock: systemClock, random: systemRandom },
      composeServer: refuse,
      composeAdministration: refuse,
      composeUpkeep: refuse,
      restore: refuse,
      ...line.composition,
    }),
    untilStopped: line.untilStopped ?? (() => new Promise(() => undefined)),
  };
  const exitCode = await runCli(world, line.argv);
  return { exitCode, result: results.join(''), notes: notes.join('') };
}
