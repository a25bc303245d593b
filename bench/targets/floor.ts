/** The floor: servers that do nothing, in this runtime and over this loopback. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MIB, type Row } from '../rows.ts';
import { startChild } from './child.ts';
import type { StartedTarget, Target } from './target.ts';

const SERVER = join(import.meta.dirname, 'floor-server.ts');

/** Two targets in one process, which the first of them holds. */
export async function startFloor(directory: string): Promise<readonly [StartedTarget, Target]> {
  mkdirSync(directory, { recursive: true });
  const { child, found } = await startChild(
    {
      command: process.execPath,
      args: ['--disable-warning=ExperimentalWarning', SERVER],
      directory,
      logFile: join(directory, 'floor.log'),
    },
    (log) => /ready (\d+) (\d+)/.exec(log) ?? undefined,
  );
  const target = (port: string | undefined): Omit<Target, 'name' | 'words' | 'takes'> => ({
    host: '127.0.0.1',
    port: Number(port),
    access: { kind: 'static' },
    pid: child.pid,
    seed: { kind: 'none' },
    role: 'floor',
  });
  const isGet = (row: Row, sizeBytes: number) =>
    row.action === 'get' && row.sizeBytes === sizeBytes;
  return [
    {
      ...target(found[1]),
      name: 'empty-http',
      words: 'a node:http server that answers the same 4 KiB to everything',
      takes: (row) => isGet(row, 4096),
      [Symbol.asyncDispose]: child.end,
    },
    {
      ...target(found[2]),
      name: 'loopback',
      words: 'a raw socket of Node that writes the same 1 MiB 64 times',
      takes: (row) => isGet(row, 64 * MIB),
    },
  ];
}
