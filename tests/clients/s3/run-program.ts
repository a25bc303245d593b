/** Runs a client program to its end, at home in the world's directory and with its keys. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import type { S3World } from './s3-world.ts';

/** No program of these tests takes longer, however busy the machine is. */
const LIFE_MS_MAX = 100_000;

export type ProgramRun = {
  /** The program and its arguments. */
  readonly argv: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
  readonly input?: Uint8Array | string;
  /** The world's own directory unless it says otherwise. */
  readonly directory?: string;
};

export type ProgramEnd = {
  /** The exit code, or the signal that ended it. */
  readonly exitCode: number | string;
  readonly bytes: Buffer;
  readonly text: string;
  readonly notes: string;
};

type Place = Pick<S3World, 'directory' | 'environment'>;

/** What it wrote to its standard output; rejects with its words when it fails. */
export async function runProgram(place: Place, run: ProgramRun): Promise<ProgramEnd> {
  const end = await tryProgram(place, run);
  if (end.exitCode !== 0) {
    const said = `${end.text.slice(-4000)}${end.notes.slice(-4000)}`;
    throw new Error(`${run.argv.join(' ').slice(0, 2000)} ended with ${end.exitCode}: ${said}`);
  }
  return end;
}

/** The same, whatever it ends with. */
export async function tryProgram(place: Place, run: ProgramRun): Promise<ProgramEnd> {
  const [program = '', ...args] = run.argv;
  const child = spawn(program, args, {
    cwd: run.directory ?? place.directory,
    env: { ...place.environment, ...run.variables },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: LIFE_MS_MAX,
    killSignal: 'SIGKILL',
  });
  // A program that ends without reading its input is judged by its exit code.
  child.stdin.on('error', () => {});
  child.stdin.end(run.input);
  const [[code, signal], bytes, notes] = await Promise.all([
    once(child, 'close'),
    buffer(child.stdout),
    text(child.stderr),
  ]);
  return { exitCode: code ?? signal, bytes, text: bytes.toString(), notes };
}
