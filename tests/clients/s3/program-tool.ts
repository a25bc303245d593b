/**
 * A tool that is a small program of ours over somebody's library. It reads a step a line, as JSON
 * of the form `{"step": "put", …}`, and answers a line for each: `{"done": …}` or `{"error": …}`.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Listing, S3Steps, S3Tool } from './s3-tool.ts';
import { syncByObjects } from './sync-by-objects.ts';

export type ProgramTool = S3Tool & {
  /** A step that only this program has. */
  ask(step: string, input: object): Promise<unknown>;
};

export function openProgram(options: {
  readonly command: string;
  readonly args?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What it works in. */
  readonly directory: string;
}): ProgramTool {
  const { command, args = [], environment, directory } = options;
  const child = spawn(command, args, {
    cwd: directory,
    env: environment,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  // A step says so; this one must not go unheard before.
  exited.catch(() => {});
  const notes = text(child.stderr);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (step: string, input: object = {}): Promise<unknown> => {
    child.stdin.write(`${JSON.stringify({ step, ...input })}\n`);
    const { value, done } = await answers.next();
    assert.ok(done !== true, `${command} ended at ${step}: ${done ? await notes : ''}`);
    const answer = JSON.parse(value) as { readonly done?: unknown; readonly error?: string };
    if (answer.error !== undefined) throw new Error(`${step}: ${answer.error}`);
    return answer.done;
  };
  const steps: Omit<S3Steps, 'syncUp' | 'syncDown'> = {
    makeBucket: async (input) => void (await ask('makeBucket', input)),
    listBuckets: async () => (await ask('listBuckets')) as readonly string[],
    removeBucket: async (input) => void (await ask('removeBucket', input)),
    put: async (input) => void (await ask('put', input)),
    get: async (input) => void (await ask('get', input)),
    getRange: async (input) => void (await ask('getRange', input)),
    copy: async (input) => void (await ask('copy', input)),
    list: async (input) => (await ask('list', input)) as Listing,
    putChecked: async (input) => void (await ask('putChecked', input)),
    presign: async (input) => (await ask('presign', input)) as string,
    deleteKeys: async (input) => void (await ask('deleteKeys', input)),
  };
  return {
    ask,
    steps: { ...steps, ...syncByObjects(steps) },
    stepsAtOnce: 1,
    [Symbol.asyncDispose]: async () => {
      child.stdin.end();
      child.kill();
      await exited.catch(() => {});
    },
  };
}
