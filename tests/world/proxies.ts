/** Reverse proxies for tests: nginx and Caddy as processes, with texts that a test gives them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

export type StartedProxy = AsyncDisposable;

export type ProxyPlace = {
  /** Of its own, for what it writes. */
  readonly directory: string;
  /** On which it listens on 127.0.0.1. */
  readonly port: number;
};

const START_MS_MAX = 30_000;

export function hasNginx(): boolean {
  return spawnSync('nginx', ['-v'], { stdio: 'ignore' }).status === 0;
}

/** `http`: what stands in its `http` block. */
export async function startNginx(http: string, place: ProxyPlace): Promise<StartedProxy> {
  const { directory } = place;
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'nginx.conf');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${directory}/${kind};`)
    .join('\n');
  await writeFile(
    file,
    `${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr warn;
events { worker_connections 256; }
http {
${temporary}
access_log off;
${http}
}
`,
  );
  return await startProxy('nginx', ['-p', directory, '-e', 'stderr', '-c', file], place);
}

/** `program`: where it was built. */
export async function startCaddy(
  program: string,
  caddyfile: string,
  place: ProxyPlace,
): Promise<StartedProxy> {
  const { directory } = place;
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'Caddyfile');
  // No admin API and no port 80, which others may have; certificates are the test's.
  const globals = '{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n\n';
  await writeFile(file, `${globals}${caddyfile}`);
  const args = ['run', '--config', file, '--adapter', 'caddyfile'];
  return await startProxy(program, args, place);
}

async function startProxy(
  command: string,
  args: readonly string[],
  { directory, port }: ProxyPlace,
): Promise<StartedProxy> {
  const child = spawn(command, args, {
    cwd: directory,
    env: { PATH: process.env['PATH'], HOME: directory, XDG_DATA_HOME: directory },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let notes = '';
  child.stderr?.on('data', (chunk) => {
    notes += String(chunk);
  });
  const end = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
  };
  try {
    await untilListening(child, port);
  } catch (error) {
    await end();
    throw new Error(`${command} did not start: ${notes}`, { cause: error });
  }
  return { [Symbol.asyncDispose]: end };
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  const deadline = Date.now() + START_MS_MAX;
  while (!(await isListening(port))) {
    assert.equal(child.exitCode, null, 'the proxy ended');
    assert.ok(Date.now() < deadline, 'the proxy does not listen');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** A port that nothing listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}
