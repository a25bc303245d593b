/**
 * Proves on real limits that a process that runs out of descriptors loses nothing and lives: with
 * few of them it takes fewer connections, so that uploads still end; where it meets the limit all
 * the same, a write is refused with 503 and no later one; with too few it does not start, and says
 * what to do.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freshDirectory, openUser, startChild } from '../world/server.ts';

const LINUX_ONLY = { skip: process.platform !== 'linux' && 'only Linux has prlimit' };
const FEW = 400;
const TOO_FEW = 200;
/** Of each listener; more than the process has descriptors. */
const IDLE_CONNECTIONS = 450;
const LARGE_BYTES = 3_000_000;
const SMALL_BYTES = 2000;
const ROUNDS = 40;
const WAIT_MS_MAX = 10_000;

test(
  'idle connections to both listeners leave descriptors for the others',
  LINUX_ONLY,
  async () => {
    const directory = await freshDirectory();
    const sockets: Socket[] = [];
    try {
      const runBy = ['prlimit', `--nofile=${FEW}:${FEW}`];
      const settings = { S3_PORT: '0', LOG_LEVEL: 'silent', SHUTDOWN_GRACE_MS: '200' };
      await using server = await startChild({ directory, settings, runBy });
      const appKey = await openUser(server.url, 'ann');
      await using caller = new Caller(server.url, appKey);
      assert.equal(await caller.upload('before', Buffer.alloc(SMALL_BYTES, 1)), 202);
      for (let count = 0; count < IDLE_CONNECTIONS; count += 1) {
        sockets.push(await openIdle(server.url));
      }
      for (const sizeBytes of [LARGE_BYTES, SMALL_BYTES]) {
        const body = Buffer.alloc(sizeBytes, 2);
        assert.equal(await caller.upload(`of-${sizeBytes}`, body), 202);
        assert.ok(body.equals(await caller.read(`of-${sizeBytes}`)));
      }
      const open = readdirSync(`/proc/${server.pid}/fd`).length;
      assert.ok(open < FEW - 50, `${open} of ${FEW} descriptors are in use`);
      for (const socket of sockets) socket.destroy();
      server.kill('SIGTERM');
      assert.equal(await server.exited, 0, 'it lived until it was told to stop');
    } finally {
      for (const socket of sockets) socket.destroy();
      rmSync(directory, { recursive: true, force: true });
    }
  },
);

test('a process without another descriptor refuses writes and lives', LINUX_ONLY, async (t) => {
  const directory = await freshDirectory();
  try {
    const settings = { LOG_LEVEL: 'silent', SHUTDOWN_GRACE_MS: '200' };
    await using server = await startChild({ directory, settings });
    const appKey = await openUser(server.url, 'ann');
    await using caller = new Caller(server.url, appKey);
    const kept = new Map<string, Buffer>();
    const counts = new Map<number, number>();
    const upload = async (name: string, sizeBytes: number) => {
      const body = Buffer.alloc(sizeBytes, name);
      const status = await caller.upload(name, body);
      counts.set(status, (counts.get(status) ?? 0) + 1);
      if (status === 202) kept.set(name, body);
      return status;
    };
    // Each thread that uploads need is there before descriptors are short.
    assert.equal(await upload('first', LARGE_BYTES), 202);
    const limitTo = (soft: number | string) =>
      execFileSync('prlimit', [`--pid=${server.pid}`, `--nofile=${soft}:`]);
    for (let round = 0; round < ROUNDS; round += 1) {
      const open = readdirSync(`/proc/${server.pid}/fd`).length;
      // From none to some: it meets the limit at one open, then at a later one.
      limitTo(open + (round % 4));
      for (const sizeBytes of [SMALL_BYTES, LARGE_BYTES]) {
        const status = await upload(`file-${round}-${sizeBytes}`, sizeBytes);
        assert.ok(status === 202 || status === 503, `${status} in round ${round}`);
      }
    }
    t.diagnostic([...counts].map(([status, count]) => `${count} x ${status}`).join(', '));
    assert.ok((counts.get(503) ?? 0) > 0, 'the limit was met');
    limitTo('4096');
    assert.equal(await upload('last', LARGE_BYTES), 202);
    for (const [name, body] of kept) assert.ok(body.equals(await caller.read(name)), name);
    server.kill('SIGTERM');
    assert.equal(await server.exited, 0, 'it lived until it was told to stop');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test('with too few descriptors it does not start and says so', LINUX_ONLY, async () => {
  const directory = await freshDirectory();
  try {
    const runBy = ['prlimit', `--nofile=${TOO_FEW}:${TOO_FEW}`];
    await assert.rejects(startChild({ directory, runBy }), (error) => {
      assert.match(String(error), /ended with 2.*limit of open files is 200.*256.*ulimit -n/s);
      return true;
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** A connection that sends nothing; it may be closed at once. */
async function openIdle(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  return socket;
}

/** One client on one connection, which stands before descriptors are short. */
class Caller implements AsyncDisposable {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string, appKey: string) {
    this.#url = url;
    this.#headers = { authorization: `ApiKey ${appKey}` };
  }

  async upload(name: string, body: Buffer): Promise<number> {
    return (await this.#send('POST', `/upload?file_name=${name}`, body)).status;
  }

  async read(name: string): Promise<Buffer> {
    const answer = await this.#send('GET', `/download-stream?file_name=${name}`);
    assert.equal(answer.status, 200, `${name}: ${answer.body}`);
    return answer.body;
  }

  /** A refused body may end the connection: then it is asked for again. */
  async #send(method: string, path: string, body?: Buffer) {
    const startedMs = performance.now();
    for (;;) {
      try {
        return await this.#sendOnce(method, path, body);
      } catch (error) {
        if (performance.now() - startedMs > WAIT_MS_MAX) throw error;
        await pause(20);
      }
    }
  }

  async #sendOnce(method: string, path: string, body: Buffer | undefined) {
    const signal = AbortSignal.timeout(WAIT_MS_MAX);
    const options = { method, headers: this.#headers, agent: this.#agent, signal };
    const sent = request(`${this.#url}${path}`, options);
    sent.end(body);
    const [response] = await once(sent, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return { status: Number(response.statusCode), body: Buffer.concat(chunks) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
  }
}
