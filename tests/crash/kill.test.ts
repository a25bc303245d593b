/**
 * Proves that a server killed with SIGKILL at each named step of a PUT, and at any other time,
 * comes back with every acknowledged file and its bytes, without any acknowledged delete, with
 * nothing half-visible, and that what the kills left without a row is swept (invariants 1, 2, 8,
 * 9).
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore } from '../../src/compose/open-store.ts';
import { loadConfig } from '../../src/config/config.ts';
import { environmentOf } from '../../src/config/env.ts';
import { type FaultStep, PUT_STEPS } from '../../src/core/ports/fault-points.ts';
import { verifyStore } from '../../src/core/upkeep/verify-store.ts';
import { FILE_LOCATION } from '../../src/engines/blobs/disk/files/blob-file.ts';
import { sweepDeadBlobs } from '../../src/jobs/sweep-blobs.ts';
import { SILENT_LOG } from '../../src/observe/log.ts';
import { runsOf } from '../world/effort.ts';
import { seededChance } from '../world/seeded-chance.ts';
import { seededRandom } from '../world/seeded-random.ts';
import { freshDirectory, openUser, startChild } from '../world/server.ts';
import { UNWATCHED } from '../world/small-store.ts';
import { expectKilled } from './expect-killed.ts';
import { Uploader } from './uploader.ts';

const CHILD = join(import.meta.dirname, 'crash-child.ts');
/** Four at once make groups of commits, of which a kill hits some before and some after. */
const UPLOADERS = 4;
const KILLS = runsOf({ short: 5, long: 100 });
/** At which reaching of its step a PUT is killed: the first of a life, and later ones. */
const COUNTS = [1, 3, 8, 20];

const chance = seededChance(7);
let directory: string;
let uploaders: readonly Uploader[] = [];

before(async () => {
  directory = await freshDirectory();
  const bytes = seededRandom('crash').bytes(1_000_000);
  await using server = await startLife();
  const keys = await Promise.all(
    Array.from({ length: UPLOADERS }, (_, index) => openUser(server.url, `crash-${index}`)),
  );
  uploaders = keys.map((key, index) => new Uploader(key, seededChance(index), bytes));
});
after(() => rm(directory, { recursive: true, force: true }));

for (const step of PUT_STEPS) {
  test(`a kill when a PUT is ${step} loses nothing acknowledged and shows nothing half`, async () => {
    for (const count of COUNTS) await liveUntilKilled({ kind: 'step', step, count });
  });
}

test('a kill as soon as an answer is there loses nothing acknowledged', async () => {
  for (let kill = 0; kill < KILLS; kill += 1) {
    await liveUntilKilled({ kind: 'answer', count: 1 + Math.floor(chance() * 40) });
  }
});

test('a kill at any time loses nothing acknowledged and shows nothing half', async () => {
  for (let kill = 0; kill < KILLS; kill += 1) {
    await liveUntilKilled({ kind: 'time', afterMs: 20 + chance() * 400 });
  }
});

test('after the kills nothing without a row is left but what is swept', async () => {
  {
    await using server = await startLife();
    for (const uploader of uploaders) await uploader.checkHoldings(server.url);
    const interrupted = uploaders.reduce((sum, one) => sum + one.interrupted, 0);
    assert.ok(
      interrupted > 0,
      'a kill while a large body comes in leaves an operation to be failed',
    );
    const answered = uploaders.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    assert.ok(answered > 100, `only ${answered} calls were answered: the kills had little to hit`);
  }
  const environment = environmentOf({});
  const config = loadConfig({ environment, workingDirectory: directory });
  await using store = await openStore(config, { log: SILENT_LOG });
  const { signal } = new AbortController();
  await sweepDeadBlobs(store, { signal });
  const orphans = await store.blobs.sweep({ graceMs: 0, signal });
  assert.ok(orphans > 0, 'kills between the bytes and the row leave bytes to be swept');
  const rows = await store.metadata.listBlobs({ after: undefined, limit: 1000 });
  const held = uploaders.reduce((sum, { heldCount }) => sum + heldCount, 0);
  assert.equal(rows.length, held, 'each file has one blob, and no other blob has a row');
  const named = new Set(rows.map(({ blobId }) => blobId));
  for await (const blob of store.blobs.list()) {
    // Records without a row stay in their segment until it is compacted.
    if (blob.location !== FILE_LOCATION) continue;
    assert.ok(named.has(blob.blobId), `a row names the file of blob ${blob.blobId}`);
  }
});

type PlannedKill =
  | { readonly kind: 'step'; readonly step: FaultStep; readonly count: number }
  | { readonly kind: 'answer'; readonly count: number }
  | { readonly kind: 'time'; readonly afterMs: number };

const HOUR_MS = 3_600_000;

/** One life: checks what the last one left, then works until the kill. */
async function liveUntilKilled(kill: PlannedKill): Promise<void> {
  await liveAndDie(kill);
  await verifyWhatIsLeft(kill);
}

/** What a kill leaves is clean, but for bytes without a row, which have their hour. */
async function verifyWhatIsLeft(kill: PlannedKill): Promise<void> {
  const config = loadConfig({ environment: environmentOf({}), workingDirectory: directory });
  await using store = await openStore(config, { log: SILENT_LOG });
  const { findings } = await verifyStore(store, { orphanGraceMs: HOUR_MS }, UNWATCHED);
  assert.deepEqual(findings, [], `after a kill at ${JSON.stringify(kill)}`);
}

async function liveAndDie(kill: PlannedKill): Promise<void> {
  await using server = await startLife(kill.kind === 'step' ? [kill.step, `${kill.count}`] : []);
  for (const uploader of uploaders) await uploader.checkHoldings(server.url);
  let answers = 0;
  const onAnswer = () => {
    answers += 1;
    if (kill.kind === 'answer' && answers === kill.count) server.kill('SIGKILL');
  };
  const work = Promise.all(uploaders.map((one) => one.workUntilDown(server.url, onAnswer)));
  if (kill.kind === 'time') {
    await pause(kill.afterMs);
    server.kill('SIGKILL');
  }
  await expectKilled(server, kill);
  await work;
}

function startLife(args: readonly string[] = []) {
  return startChild({ directory, program: [CHILD, ...args] });
}
