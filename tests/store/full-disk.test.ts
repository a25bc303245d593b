/**
 * On a disk that something else has filled to the last byte, uploads are refused, nothing is lost,
 * and deleting still works and makes room again.
 */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { composeServer } from '../../src/compose/compose-server.ts';
import { loadConfig } from '../../src/config/config.ts';
import { environmentOf } from '../../src/config/env.ts';

const FILES = 60;
const bodyOf = (index: number) => Buffer.alloc(index % 20 === 0 ? 300_000 : 500, index + 1);

/** A small disk of its own, or why there is none. */
function mountDisk(directory: string): string | undefined {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', directory], { stdio: 'pipe' });
    return undefined;
  } catch {
    return 'mounting a tmpfs is not permitted';
  }
}

/** Writes until nothing more fits. */
function fillDisk(file: string): void {
  const handle = openSync(file, 'w');
  try {
    for (const size of [1_000_000, 4096, 1]) {
      for (;;) {
        try {
          writeSync(handle, Buffer.alloc(size, 1));
        } catch {
          break;
        }
      }
    }
  } finally {
    closeSync(handle);
  }
}

test('a disk filled by others', async (context) => {
  const disk = mkdtempSync(join(tmpdir(), 'pinfold-full-disk-'));
  const obstacle = mountDisk(disk);
  if (obstacle !== undefined) return context.skip(obstacle);
  try {
    const server = await composeServer({
      config: loadConfig({
        environment: environmentOf({
          PINFOLD_DATA_DIR: join(disk, 'data'),
          PINFOLD_API_PORT: '0',
          PINFOLD_S3_PORT: '0',
          PINFOLD_METRICS_PORT: '0',
          PINFOLD_LOG_LEVEL: 'silent',
          PINFOLD_MIN_FREE_BYTES: '4 MiB',
        }),
        workingDirectory: disk,
      }),
    });
    try {
      const metadataFile = join(disk, 'data', 'metadata.db');
      await useFullDisk(server.addresses.api, join(disk, 'filler'), metadataFile);
    } finally {
      await server.close({ graceMs: 1000 });
    }
  } finally {
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true, force: true });
  }
});

async function useFullDisk(url: string, filler: string, metadataFile: string): Promise<void> {
  const made = await fetch(`${url}/users`, { method: 'POST', body: '{"username":"ann"}' });
  const { user_app_key: key } = (await made.json()) as { user_app_key: string };
  const headers = { authorization: `ApiKey ${key}` };
  const upload = (name: string, body: Buffer) =>
    fetch(`${url}/upload?file_name=${name}`, { method: 'POST', headers, body });
  const download = async (name: string) => {
    const answer = await fetch(`${url}/download-stream?file_name=${name}`, { headers });
    return answer.status === 200 ? Buffer.from(await answer.arrayBuffer()) : answer.status;
  };
  for (let index = 0; index < FILES; index += 1) {
    assert.equal((await upload(`f${index}`, bodyOf(index))).status, 202);
  }
  // The log has given its room back, so that the first delete must find new room for it.
  const metadata = new DatabaseSync(metadataFile);
  metadata.exec('pragma wal_checkpoint(truncate)');
  metadata.close();
  fillDisk(filler);
  await new Promise((resolve) => setTimeout(resolve, 1100));

  for (const size of [10, 400_000]) {
    assert.equal((await upload('late', Buffer.alloc(size))).status, 507);
  }
  assert.equal(await download('late'), 404);
  for (let index = 0; index < FILES; index += 1) {
    assert.deepEqual(await download(`f${index}`), bodyOf(index));
  }
  for (let index = 0; index < FILES - 1; index += 1) {
    const body = JSON.stringify({ file_name: `f${index}` });
    const answer = await fetch(`${url}/deleteFile`, { method: 'POST', headers, body });
    assert.equal(answer.status, 200, `f${index}`);
  }
  assert.equal(await download('f0'), 404);
  assert.deepEqual(await download(`f${FILES - 1}`), bodyOf(FILES - 1));

  rmSync(filler);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  assert.equal((await upload('again', bodyOf(0))).status, 202);
  assert.deepEqual(await download('again'), bodyOf(0));
}
