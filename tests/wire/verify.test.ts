/**
 * Proves that `pinfold verify` finds every kind of fault with the process's real exit code, says
 * whose bytes it is, and that a mended store is clean again.
 */
import assert from 'node:assert/strict';
import { cp, mkdir, open, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { composeUpkeep } from '../../src/compose/compose-upkeep.ts';
import type { BlobId } from '../../src/core/ids.ts';
import { patternBytes } from '../../src/core/ports/blob-store-contract.ts';
import { upkeepClient } from '../../src/dialects/admin/upkeep-client.ts';
import type { VerifyDocument } from '../../src/dialects/admin/upkeep-documents.ts';
import { blobFileName, blobFolders } from '../../src/engines/blobs/disk/files/blob-file.ts';
import { runLine } from '../world/cli-line.ts';
import { runPinfold } from '../world/process-line.ts';
import { freshDirectory, openUser, startChild } from '../world/server.ts';
import { openAccount, startServer } from './service.ts';

const LARGE = 300_000;
const SMALL = 5000;

let whole: string;
before(async () => {
  whole = await freshDirectory();
  await using server = await startChild({ directory: whole });
  const key = await openUser(server.url, 'ann');
  const headers = { authorization: `ApiKey ${key}` };
  for (const [name, size] of [
    ['small', SMALL],
    ['large', LARGE],
    ['small 2', SMALL],
  ] as const) {
    const body = new Uint8Array(patternBytes(size, size));
    const address = `${server.url}/upload?file_name=${encodeURIComponent(name)}`;
    const answer = await fetch(address, { method: 'POST', headers, body });
    assert.equal(answer.status, 202);
    await answer.text();
  }
  const body = '{"file_name":"small"}';
  await fetch(`${server.url}/createPublicLink`, { method: 'POST', headers, body });
  server.kill('SIGTERM');
  assert.equal(await server.exited, 0);
});
after(() => rm(whole, { recursive: true, force: true }));

/** A copy of the store, which the test may break. */
async function broken(): Promise<{ readonly directory: string; readonly folder: string }> {
  const directory = await freshDirectory();
  after(() => rm(directory, { recursive: true, force: true }));
  const folder = join(directory, 'data');
  await cp(join(whole, 'data'), folder, { recursive: true });
  return { directory, folder };
}

/** The command as the process runs it, in this one. */
async function verify(directory: string) {
  const { exitCode, result, notes } = await runLine({
    directory,
    argv: ['verify', '--json'],
    composition: { composeUpkeep },
  });
  assert.equal(notes, '');
  const document = JSON.parse(result) as VerifyDocument;
  assert.equal(exitCode, document.findings_total === 0 ? 0 : 1);
  return document;
}

function kindsOf({ findings }: VerifyDocument): readonly string[] {
  return findings.map(({ kind }) => kind).toSorted();
}

function change(folder: string, ...statements: readonly string[]): void {
  const database = new DatabaseSync(join(folder, 'metadata.db'));
  for (const statement of statements) database.exec(statement);
  database.close();
}

function largeId(folder: string): BlobId {
  const database = new DatabaseSync(join(folder, 'metadata.db'));
  const row = database.prepare('select blob_id from blobs where size_bytes = ?').get(LARGE);
  database.close();
  return Number(row?.['blob_id']) as BlobId;
}

function fileOf(folder: string, blobId: BlobId): string {
  return join(folder, 'blobs', ...blobFolders(blobId), blobFileName(blobId));
}

async function segmentOf(folder: string): Promise<string> {
  const [name = ''] = await readdir(join(folder, 'blobs', 'segments'));
  return join(folder, 'blobs', 'segments', name);
}

async function flip(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  byte.writeUInt8((byte[0] ?? 0) ^ 1);
  await file.write(byte, 0, 1, at);
  await file.close();
}

test('a whole store has no fault, and all of it was looked at', async () => {
  const { checked, findings, findings_total: total } = await verify(whole);
  assert.deepEqual([findings, total], [[], 0]);
  assert.deepEqual(checked, {
    accounts: 1,
    buckets: 1,
    owners: 3,
    links: 1,
    blobs: 3,
    bytes: LARGE + 2 * SMALL,
    segments: 1,
    segment_bytes: checked.segment_bytes,
    dead_bytes: 0,
    unpublished: 0,
  });
});

test('the process ends with 1 while a byte is wrong, names its file, and with 0 after', async () => {
  const { directory, folder } = await broken();
  const path = fileOf(folder, largeId(folder));
  await flip(path, 123_456);
  const faulty = await runPinfold({ directory, argv: ['verify'] });
  assert.equal(faulty.exitCode, 1);
  assert.match(
    faulty.result,
    /1 faults:\n.*\nblob_damaged +blob \d+ +.*65536.*\n +in \w+\/large\n/,
  );
  assert.equal(faulty.notes, '');
  await flip(path, 123_456);
  const clean = await runPinfold({ directory, argv: ['verify', '--json'] });
  assert.equal(clean.exitCode, 0);
  assert.deepEqual(kindsOf(JSON.parse(clean.result)), []);
});

test('flipped bytes of a segment, a footer and a head of a segment are found', async () => {
  const { directory, folder } = await broken();
  const segment = await segmentOf(folder);
  for (const [path, at, kinds] of [
    [segment, 32 + 32 + 100, ['blob_damaged', 'segment_damaged']],
    [segment, 10, ['segment_damaged']],
    [fileOf(folder, largeId(folder)), LARGE + 2, ['blob_damaged']],
  ] as const) {
    await flip(path, at);
    assert.deepEqual(kindsOf(await verify(directory)), kinds, `${path} ${at}`);
    await flip(path, at);
  }
  assert.deepEqual(kindsOf(await verify(directory)), []);
});

test('a missing file is found with the objects that it leaves without bytes', async () => {
  const { directory, folder } = await broken();
  const blobId = largeId(folder);
  const path = fileOf(folder, blobId);
  await rename(path, `${path}.away`);
  const { findings } = await verify(directory);
  assert.equal(findings.length, 1);
  assert.deepEqual([findings[0]?.kind, findings[0]?.blob_id], ['blob_missing', blobId]);
  assert.deepEqual(
    findings[0]?.objects.map(({ key }) => key),
    ['large'],
  );
  await rename(`${path}.away`, path);
  assert.deepEqual(kindsOf(await verify(directory)), []);
});

test('bytes that no row names are found', async () => {
  const { directory, folder } = await broken();
  const stray = 77_777 as BlobId;
  await mkdir(join(fileOf(folder, stray), '..'), { recursive: true });
  await cp(fileOf(folder, largeId(folder)), fileOf(folder, stray));
  const { findings } = await verify(directory);
  assert.deepEqual(
    findings.map(({ kind, blob_id: blobId }) => [kind, blobId]),
    [['orphan', stray]],
  );
  await rm(fileOf(folder, stray));
  assert.deepEqual(kindsOf(await verify(directory)), []);
});

test('wrong counts, sums and references are found, each with its kind', async () => {
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    [
      'update blobs set owners = owners + 1',
      'update blobs set owners = owners - 1',
      ['owners_wrong', 'owners_wrong', 'owners_wrong'],
    ],
    [
      `update blobs set died_at = 1, owners = 0 where size_bytes = ${LARGE}`,
      `update blobs set died_at = null, owners = 1 where size_bytes = ${LARGE}`,
      ['owners_wrong', 'reference_broken'],
    ],
    [
      'update accounts set stored_bytes = stored_bytes - 1',
      'update accounts set stored_bytes = stored_bytes + 1',
      ['stored_bytes_wrong'],
    ],
    [
      'update accounts set counted_bytes = counted_bytes + 1',
      'update accounts set counted_bytes = counted_bytes - 1',
      ['counted_bytes_wrong'],
    ],
    [
      `update objects set user_metadata = '{"a":"${'ä'.repeat(1024)}"}'
        where key = cast('large' as blob)`,
      "update objects set user_metadata = null where key = cast('large' as blob)",
      ['counted_bytes_wrong'],
    ],
    [
      'update accounts set default_bucket_id = 99',
      'update accounts set default_bucket_id = 1',
      ['reference_broken'],
    ],
    [
      'update public_links set bucket_id = 99',
      'update public_links set bucket_id = 1',
      ['reference_broken'],
    ],
    [
      "update objects set blob_id = blob_id + 1000 where key = cast('large' as blob)",
      "update objects set blob_id = blob_id - 1000 where key = cast('large' as blob)",
      ['owners_wrong', 'reference_broken'],
    ],
    [
      "update objects set size_bytes = size_bytes - 1 where key = cast('large' as blob)",
      "update objects set size_bytes = size_bytes + 1 where key = cast('large' as blob)",
      ['counted_bytes_wrong', 'reference_broken', 'stored_bytes_wrong'],
    ],
    [
      'insert into contents (content_id, part_count) values (5, 2)',
      'delete from contents where content_id = 5',
      ['reference_broken', 'reference_broken'],
    ],
    [
      `insert into upload_parts (upload_id, part_number, size_bytes, etag, blob_id, created_at)
        select 'u', 1, size_bytes, 'e', blob_id, 0 from blobs where size_bytes = ${LARGE}`,
      "delete from upload_parts where upload_id = 'u'",
      ['owners_wrong', 'reference_broken'],
    ],
    [
      'update buckets set account_id = account_id || 1',
      'update buckets set account_id = substr(account_id, 1, 36)',
      [
        'counted_bytes_wrong',
        'reference_broken',
        'reference_broken',
        'reference_broken',
        'stored_bytes_wrong',
      ],
    ],
  ];
  const { directory, folder } = await broken();
  for (const [breaking, mending, kinds] of cases) {
    change(folder, breaking);
    assert.deepEqual(kindsOf(await verify(directory)), kinds, breaking);
    change(folder, mending);
  }
  assert.deepEqual(kindsOf(await verify(directory)), []);
});

test('a running server verifies by its socket, and calls no fresh bytes orphans', async () => {
  const server = await startServer();
  const holder = await openAccount(server, 'bob');
  await holder.upload('small', patternBytes(SMALL));
  await holder.upload('large', patternBytes(LARGE));
  const socket = join(server.config.dataDirectory, 'run', 'admin.sock');
  const steps = new Set<string>();
  const options = {
    signal: AbortSignal.any([]),
    onProgress: ({ step }: { readonly step: string }) => void steps.add(step),
  };
  const blobs = join(server.config.blobs.directory, ...blobFolders(88_888 as BlobId));
  const stray = join(blobs, blobFileName(88_888 as BlobId));
  await mkdir(blobs, { recursive: true });
  await writeFile(stray, 'torn');
  const fresh = await upkeepClient(socket).verify(options);
  assert.deepEqual([fresh.findings, fresh.checked.unpublished], [[], 1]);
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  await utimes(stray, longAgo, longAgo);
  const old = await upkeepClient(socket).verify(options);
  assert.deepEqual(kindsOf(old), ['orphan']);
  assert.ok(steps.size > 0);
  const metrics = await (await fetch(server.metricsUrl)).text();
  assert.match(metrics, /^pinfold_verify_findings 1$/m);
  assert.match(metrics, /^pinfold_segments 1$/m);
  assert.ok(server.lines.some((line) => line.includes('verify found a fault')));
});

test('whoever hangs up stops the verification', async () => {
  const server = await startServer();
  const holder = await openAccount(server, 'cat');
  await holder.upload('large', patternBytes(LARGE));
  const socket = join(server.config.dataDirectory, 'run', 'admin.sock');
  const abort = new AbortController();
  const options = { signal: abort.signal, onProgress: () => abort.abort() };
  await assert.rejects(upkeepClient(socket).verify(options));
  // The server goes on.
  const onProgress = () => undefined;
  const again = await upkeepClient(socket).verify({ signal: AbortSignal.any([]), onProgress });
  assert.deepEqual(again.findings, []);
});

test('a store that is not there is not found', async () => {
  const directory = await freshDirectory();
  after(() => rm(directory, { recursive: true, force: true }));
  const { exitCode } = await runLine({ directory, argv: ['verify'] });
  assert.equal(exitCode, 3);
});
