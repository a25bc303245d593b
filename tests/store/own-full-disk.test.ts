/**
 * Proves that a store which fills its disk by itself refuses with 507 what does not fit, keeps
 * every acknowledged file whole and shows nothing of a refused one, still deletes, takes uploads
 * again once sweeps and compaction have made room, and never ends; with a floor of free space and
 * without one.
 */
import assert from 'node:assert/strict';
import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore } from '../../src/compose/open-store.ts';
import { verifyStore } from '../../src/core/upkeep/verify-store.ts';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import { SILENT_LOG } from '../../src/observe/log.ts';
import { seededChance } from '../world/seeded-chance.ts';
import {
  type ChildServer,
  openUser,
  startChild,
  type TestSettings,
  testConfig,
} from '../world/server.ts';
import { mountSmallDisk } from './small-disk.ts';

const MIB = 1024 ** 2;
const DISK_BYTES = 96 * MIB;
const FLOOR_BYTES = 16 * MIB;
const CHILD = join(import.meta.dirname, 'store-child.ts');
/** Compaction follows deletes at once, and segments are small enough to be given back. */
const CHOICES = JSON.stringify({ jobs: 'eager', segmentBytesMax: 2 * MIB });
const UPLOADERS = 6;
/** How often an uploader is refused until it stops. */
const REFUSALS = 6;
const SIZES = [10, 4000, 150_000, 200_000, 250_000, 250_000, 300_000, 1_500_000];
/** Of the uploads that were deleted; more than fit while segments keep what is dead. */
const AGAIN_SHARE = 0.8;
const ROOM_MS_MAX = 30_000;

test('a store that has filled its disk to the floor', async (t) => {
  await fillAndEmpty(t, FLOOR_BYTES);
});

test('a store without a floor that has filled its disk to the last byte', async (t) => {
  await fillAndEmpty(t, 0);
});

async function fillAndEmpty(t: TestContext, floorBytes: number): Promise<void> {
  using disk = await mountSmallDisk(DISK_BYTES);
  if (disk === undefined) return t.skip('mounting a tmpfs is not permitted');
  const { directory } = disk;
  const settings = {
    MIN_FREE_BYTES: `${floorBytes}`,
    LOG_LEVEL: 'silent',
    SHUTDOWN_GRACE_MS: '200',
  };
  const start = () => startChild({ directory, settings, program: [CHILD, CHOICES] });
  const files = new Files();
  {
    await using server = await start();
    await files.signUp(server, directory);
    const refused = await files.fill();
    const freeBytes = freeBytesOf(directory);
    t.diagnostic(
      `${files.count} files were taken, ${refused} refused; ${freeBytes} bytes were left`,
    );
    // The database lives off the floor, and the system is asked once a second.
    assert.ok(freeBytes >= floorBytes / 2, `the floor is kept: ${freeBytes} bytes are free`);
    await files.check();
    const sizes = await files.deleteMost();
    await files.check();
    await files.uploadAgain(sizes.slice(0, AGAIN_SHARE * sizes.length));
    await files.check();
    server.kill('SIGTERM');
    assert.equal(await server.exited, 0, 'it lived until it was told to stop');
  }
  await verify(directory, settings);
  await using server = await start();
  files.moveTo(server);
  await files.check();
}

function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

async function verify(directory: string, settings: TestSettings): Promise<void> {
  await using store = await openStore(testConfig(directory, settings), { log: SILENT_LOG });
  const { signal } = new AbortController();
  const watch = { signal, onProgress: () => undefined };
  const { findings } = await verifyStore(store, { orphanGraceMs: 60_000 }, watch);
  assert.deepEqual(findings, []);
}

/** The files of one account, as they were acknowledged. */
class Files {
  readonly #chance = seededChance(507);
  readonly #held = new Map<string, Buffer>();
  #url = '';
  #headers: Readonly<Record<string, string>> = {};
  #made = 0;

  get count(): number {
    return this.#held.size;
  }

  async signUp(server: ChildServer, directory: string): Promise<void> {
    this.moveTo(server);
    this.#headers = { authorization: `ApiKey ${await openUser(server.url, 'full')}` };
    const admin = adminClient(join(directory, 'data', 'run', 'admin.sock'));
    await admin.changeLimits('full', { storage_bytes: 10 * DISK_BYTES });
  }

  moveTo({ url }: ChildServer): void {
    this.#url = url;
  }

  /** Uploads until little and much is refused to all; answers how often. */
  async fill(): Promise<number> {
    const refusals = await Promise.all(
      Array.from({ length: UPLOADERS }, async () => {
        let refused = 0;
        for (let calls = 0; refused < REFUSALS; calls += 1) {
          // Once it is full, small ones still may fit where large ones do not.
          const size = SIZES[Math.floor(this.#chance() * SIZES.length)] ?? 0;
          if (!(await this.#upload(size, { isStream: calls % 3 === 0 }))) refused += 1;
        }
        return refused;
      }),
    );
    return refusals.reduce((sum, refused) => sum + refused, 0);
  }

  /** Answers how large they were. */
  async deleteMost(): Promise<readonly number[]> {
    const sizes: number[] = [];
    const names = [...this.#held.keys()].filter((_, index) => index % 5 !== 0);
    for (const name of names) {
      const response = await this.#post('deleteFile', { file_name: name });
      assert.equal(response.status, 200, `${name} is deleted: ${await response.text()}`);
      sizes.push(this.#held.get(name)?.length ?? 0);
      this.#held.delete(name);
    }
    return sizes;
  }

  /** All of it fits, after a while. */
  async uploadAgain(sizes: readonly number[]): Promise<void> {
    const startedMs = performance.now();
    for (const size of sizes) {
      while (!(await this.#upload(size, { isStream: false }))) {
        assert.ok(performance.now() - startedMs < ROOM_MS_MAX, 'deletes have made room');
        await pause(50);
      }
    }
  }

  /** Exactly what was acknowledged is listed, and each is whole. */
  async check(): Promise<void> {
    const names: string[] = [];
    let cursor = '';
    do {
      const response = await fetch(`${this.#url}/files?limit=1000${cursor}`, {
        headers: this.#headers,
      });
      const page = (await response.json()) as {
        files: readonly { file_name: string }[];
        next_cursor: string | null;
      };
      names.push(...page.files.map(({ file_name: name }) => name));
      cursor = page.next_cursor === null ? '' : `&cursor=${encodeURIComponent(page.next_cursor)}`;
    } while (cursor !== '');
    assert.deepEqual(names.toSorted(), [...this.#held.keys()].toSorted());
    for (const [name, bytes] of this.#held) {
      const response = await fetch(`${this.#url}/download-stream?file_name=${name}`, {
        headers: this.#headers,
      });
      assert.equal(response.status, 200, name);
      assert.ok(bytes.equals(await response.bytes()), `${name} is whole`);
    }
  }

  /** Whether it was taken; anything but 202 and 507 is a fault. */
  async #upload(sizeBytes: number, { isStream }: { readonly isStream: boolean }): Promise<boolean> {
    this.#made += 1;
    const name = `file-${this.#made}`;
    const bytes = Buffer.alloc(sizeBytes, `${name}, `);
    const response = await fetch(`${this.#url}/upload?file_name=${name}`, {
      method: 'POST',
      headers: this.#headers,
      body: isStream ? new Blob([bytes]).stream() : bytes,
      duplex: 'half',
    });
    const text = await response.text();
    assert.ok(response.status === 202 || response.status === 507, `${response.status}: ${text}`);
    if (response.status === 202) this.#held.set(name, bytes);
    return response.status === 202;
  }

  #post(path: string, body: object): Promise<Response> {
    return fetch(`${this.#url}/${path}`, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify(body),
    });
  }
}
