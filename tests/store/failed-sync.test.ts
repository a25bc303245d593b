/**
 * Proves that a sync that fails with EIO, be it of a segment, a file, a folder or the database's
 * log, ends the process: the request that waited for it gets 503, no later write is acknowledged,
 * the process ends with 1, and after a restart every acknowledged file is whole and a failed one is
 * absent or whole.
 */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type ChildServer, freshDirectory, openUser, startChild } from '../world/server.ts';
import type { FailingSync } from './store-child.ts';

const CHILD = join(import.meta.dirname, 'store-child.ts');
const BEFORE = 5;
/** More than are sent until the line that makes syncs fail is heard. */
const CALLS_MAX = 500;
const UPLOADERS = 4;
const DELETES_MAX = 150;
const END_MS_MAX = 30_000;

const CASES: readonly { readonly what: FailingSync; readonly sizeBytes: number }[] = [
  { what: 'segment', sizeBytes: 3000 },
  { what: 'file', sizeBytes: 400_000 },
  { what: 'folder', sizeBytes: 400_000 },
  { what: 'log', sizeBytes: 3000 },
];

for (const { what, sizeBytes } of CASES) {
  test(`a failed sync of a ${what} ends the process and loses nothing`, async () => {
    const directory = await freshDirectory();
    try {
      // A grace that would show in the time: clients that stay connected do not hold the process.
      const settings = { LOG_LEVEL: 'silent', SHUTDOWN_GRACE_MS: '60000' };
      const start = () => startChild({ directory, settings, program: [CHILD] });
      let account: Account;
      {
        await using server = await start();
        account = new Account(server, await openUser(server.url, 'sync'));
        for (let count = 0; count < BEFORE; count += 1) {
          assert.equal(await account.upload(sizeBytes), 202);
        }
        server.tell(`fail ${what}`);
        const statuses = await account.uploadUntilRefused(sizeBytes);
        assert.ok(statuses.includes(503), `a request that waited is told: ${statuses.join()}`);
        assert.deepEqual(
          statuses.filter((status) => status !== 503 && status !== 0),
          [],
        );
        assert.equal(await endOf(server), 1);
      }
      await using server = await start();
      account.moveTo(server);
      await account.check();
      assert.equal(await account.upload(sizeBytes), 202);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

test('a delete that waits for a failed sync of the log is not acknowledged', async () => {
  const directory = await freshDirectory();
  try {
    await using server = await startChild({
      directory,
      settings: { LOG_LEVEL: 'silent' },
      program: [CHILD, JSON.stringify({ jobs: 'none' })],
    });
    const account = new Account(server, await openUser(server.url, 'sync'));
    for (let count = 0; count < DELETES_MAX; count += 1) {
      assert.equal(await account.upload(10), 202);
    }
    server.tell('fail log');
    assert.equal(await account.deleteUntilRefused(), 503);
    assert.equal(await endOf(server), 1);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

/** The files of one account: acknowledged, or asked for without a yes. */
class Account {
  readonly #headers: Readonly<Record<string, string>>;
  readonly #acknowledged = new Map<string, Buffer>();
  readonly #refused = new Map<string, Buffer>();
  #url: string;
  #made = 0;

  constructor({ url }: ChildServer, appKey: string) {
    this.#url = url;
    this.#headers = { authorization: `ApiKey ${appKey}` };
  }

  moveTo({ url }: ChildServer): void {
    this.#url = url;
  }

  /** Answers the status, 0 when the server was not to be reached. */
  async upload(sizeBytes: number): Promise<number> {
    this.#made += 1;
    const name = `file-${this.#made}`;
    const body = Buffer.alloc(sizeBytes, `${name}, `);
    this.#refused.set(name, body);
    const url = `${this.#url}/upload?file_name=${name}`;
    const status = await statusOf(fetch(url, { method: 'POST', headers: this.#headers, body }));
    if (status !== 202) return status;
    this.#refused.delete(name);
    this.#acknowledged.set(name, body);
    return status;
  }

  /** Several at once, each until it is refused; answers their last statuses and some more. */
  async uploadUntilRefused(sizeBytes: number): Promise<readonly number[]> {
    const statuses = await Promise.all(
      Array.from({ length: UPLOADERS }, async () => {
        for (let count = 0; count < CALLS_MAX; count += 1) {
          const status = await this.upload(sizeBytes);
          if (status !== 202) return [status, await this.upload(sizeBytes)];
        }
        return [202];
      }),
    );
    return statuses.flat();
  }

  /** Deletes one after the other; answers the first status that is not 200. */
  async deleteUntilRefused(): Promise<number> {
    for (const name of this.#acknowledged.keys()) {
      const body = JSON.stringify({ file_name: name });
      const url = `${this.#url}/deleteFile`;
      const status = await statusOf(fetch(url, { method: 'POST', headers: this.#headers, body }));
      if (status !== 200) return status;
    }
    return 200;
  }

  async check(): Promise<void> {
    for (const [name, bytes] of this.#acknowledged) {
      assert.ok((await this.#read(name))?.equals(bytes), `${name} is there, whole`);
    }
    for (const [name, bytes] of this.#refused) {
      const found = await this.#read(name);
      assert.ok(found === undefined || found.equals(bytes), `${name} is whole, or not there`);
    }
  }

  async #read(name: string): Promise<Buffer | undefined> {
    const url = `${this.#url}/download-stream?file_name=${name}`;
    const response = await fetch(url, { headers: this.#headers });
    if (response.status === 404) return undefined;
    assert.equal(response.status, 200, name);
    return Buffer.from(await response.arrayBuffer());
  }
}

/** Its exit code, or that it did not end when it should have. */
async function endOf(server: ChildServer): Promise<number | string> {
  const hasEnded = new AbortController();
  const late = pause(END_MS_MAX, 'it did not end', { signal: hasEnded.signal });
  try {
    return await Promise.race([server.exited, late.catch(() => 'it ended')]);
  } finally {
    hasEnded.abort();
  }
}

async function statusOf(call: Promise<Response>): Promise<number> {
  try {
    const response = await call;
    await response.text();
    return response.status;
  } catch {
    return 0;
  }
}
