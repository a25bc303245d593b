/**
 * nginx with static files: what a compiled server does with the same bytes and no questions asked.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BodyPattern } from '../load/body-pattern.ts';
import { NUMBER_BYTES, numberText } from '../load/object-number.ts';
import { startChild } from './child.ts';
import { freePort } from './free-port.ts';
import type { Seed, StartedTarget } from './target.ts';

export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status === 0;
}

export async function startNginx(directory: string): Promise<StartedTarget> {
  const files = join(directory, 'files');
  mkdirSync(files, { recursive: true });
  const port = await freePort();
  const configFile = join(directory, 'nginx.conf');
  writeFileSync(configFile, configText({ directory, files, port }));
  const { child } = await startChild(
    {
      command: 'nginx',
      args: ['-p', directory, '-e', 'stderr', '-c', configFile],
      directory,
      logFile: join(directory, 'nginx.log'),
    },
    (log) => (log.includes('start worker processes') ? true : undefined),
  );
  return {
    name: 'nginx',
    words:
      'static files by sendfile, one worker, access log on: no account, no metadata, no checks',
    host: '127.0.0.1',
    port,
    access: { kind: 'static' },
    takes: (row) => row.action === 'get',
    pid: child.pid,
    seed: { kind: 'write', write: (seed) => writeFiles(files, seed) },
    role: 'floor',
    [Symbol.asyncDispose]: child.end,
  };
}

function configText(at: {
  readonly directory: string;
  readonly files: string;
  readonly port: number;
}): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${at.directory}/tmp-${kind};`,
  );
  return `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${at.directory}/nginx.pid;
error_log stderr notice;
events { worker_connections 1024; }
http {
${temporary.join('\n')}
  access_log ${at.directory}/access.log;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  server {
    listen 127.0.0.1:${at.port};
    root ${at.files};
  }
}
`;
}

function writeFiles(directory: string, { prefix, count, sizeBytes }: Seed): void {
  const pattern = new BodyPattern(sizeBytes);
  const bytes = Buffer.from(pattern.bytes);
  mkdirSync(dirname(join(directory, `${prefix}${'0'.repeat(NUMBER_BYTES)}`)), { recursive: true });
  for (let number = 0; number < count; number += 1) {
    pattern.stamp(bytes, 0, number);
    writeFileSync(join(directory, `${prefix}${numberText(number)}`), bytes);
  }
}
