/**
 * Proves that a server killed with SIGKILL while parts arrive, around the commit of a Complete,
 * within deletes of a thousand keys and at any other time comes back with every acknowledged part
 * and object whole, what was not acknowledged whole or absent, a lost Complete to be asked for
 * again, and a store that verifies.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore } from '../../src/compose/open-store.ts';
import { COMPLETE_STEPS, type FaultStep, PUT_STEPS } from '../../src/core/ports/fault-points.ts';
import { verifyStore } from '../../src/core/upkeep/verify-store.ts';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import { SILENT_LOG } from '../../src/observe/log.ts';
import { rawS3 } from '../clients/s3/raw-s3.ts';
import { textsOf } from '../clients/s3/xml-texts.ts';
import { md5Header, type ObjectCalls, objectCalls } from '../wire/s3/object-calls.ts';
import { runsOf } from '../world/effort.ts';
import { freePort } from '../world/proxies.ts';
import { seededChance } from '../world/seeded-chance.ts';
import { seededRandom } from '../world/seeded-random.ts';
import { freshDirectory, startChild, testConfig } from '../world/server.ts';
import { UNWATCHED } from '../world/small-store.ts';
import { expectKilled } from './expect-killed.ts';
import { S3Worker, type Work } from './s3-worker.ts';

const CHILD = join(import.meta.dirname, 'crash-child.ts');
/** Several at once make groups of commits, of which a kill hits some before and some after. */
const WORKERS = 3;
const KILLS = runsOf({ short: 3, long: 100 });
const DELETES = runsOf({ short: 2, long: 30 });
/** At which reaching of its step a call is killed: an early one of a life, and a later one. */
const COUNTS = [3, 11, 1, 20].slice(0, runsOf({ short: 2, long: 4 }));
const HOUR_MS = 3_600_000;
const MANY = 1000;

const chance = seededChance(11);
let directory: string;
let port: number;
let workers: readonly S3Worker[] = [];
let many: ObjectCalls;
const agents: Disposable[] = [];

before(async () => {
  directory = await freshDirectory();
  port = await freePort();
  const bytes = Buffer.from(seededRandom('s3 kills').bytes(6_000_000));
  await using _server = await startLife();
  const calls = await Promise.all(
    Array.from({ length: WORKERS + 1 }, (_, index) => openCalls(`crash-${index}`)),
  );
  workers = calls
    .slice(0, WORKERS)
    .map((one, index) => new S3Worker(one, seededChance(index + 1), bytes));
  many = calls[WORKERS] ?? assert.fail();
});

after(async () => {
  for (const agent of agents) agent[Symbol.dispose]();
  await rm(directory, { recursive: true, force: true });
});

for (const step of PUT_STEPS) {
  test(`a kill when a part is ${step} loses no part and shows none half`, async () => {
    for (const count of COUNTS) await liveUntilKilled({ kind: 'step', step, count }, 'parts');
  });
}

for (const step of COMPLETE_STEPS) {
  test(`a kill when an upload is ${step} leaves it open or completed, to be asked for again`, async () => {
    for (const more of COUNTS) {
      // Each worker may first ask for its lost Complete again, which the kill is not to hit.
      const count = WORKERS + more;
      await liveUntilKilled({ kind: 'step', step, count }, 'completes');
    }
  });
}

test('a kill at any time loses nothing acknowledged and shows nothing half', async () => {
  for (let kill = 0; kill < KILLS; kill += 1) {
    await liveUntilKilled({ kind: 'time', afterMs: 20 + chance() * 500 }, 'all');
  }
});

test('of a thousand keys that were being deleted each is whole or gone', async () => {
  const keys = Array.from({ length: MANY }, (_, index) => `many/${index}`);
  const objects = keys.map((key) => `<Object><Key>${key}</Key></Object>`);
  const body = `<Delete>${objects.join('')}</Delete>`;
  for (let kill = 0; kill < DELETES; kill += 1) {
    const isAnswered = await deleteUntilKilled(keys, body);
    await verifyWhatIsLeft('a kill within DeleteObjects');
    await using _server = await startLife();
    const left = textsOf((await many.list()).text, 'Key');
    if (isAnswered) assert.deepEqual(left, [], 'what was acknowledged is gone');
    for (const key of left) assert.equal((await many.get(key)).text, key);
  }
});

/** Whether the delete was acknowledged before its server died. */
async function deleteUntilKilled(keys: readonly string[], body: string): Promise<boolean> {
  await using server = await startLife();
  await Promise.all(keys.map((key) => many.put(key, key)));
  const asked = { query: { delete: '' }, body, headers: md5Header(body) };
  const deleting = many.ask('POST', undefined, asked).then(
    ({ status }) => status === 200,
    () => false,
  );
  await pause(chance() * 60);
  server.kill('SIGKILL');
  return await deleting;
}

test('after the kills everything is there, and there was something to lose', async () => {
  await using _server = await startLife();
  for (const worker of workers) await worker.settle();
  const answered = workers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  assert.ok(answered > 30, `only ${answered} calls were answered: the kills had little to hit`);
  const repeated = workers.reduce((sum, worker) => sum + worker.repeated, 0);
  assert.ok(repeated > 0, 'a kill between a commit and its answer makes a Complete repeated');
});

type PlannedKill =
  | { readonly kind: 'step'; readonly step: FaultStep; readonly count: number }
  | { readonly kind: 'time'; readonly afterMs: number };

/** One life: checks what the last one left, then works until the kill. */
async function liveUntilKilled(kill: PlannedKill, work: Work): Promise<void> {
  {
    await using server = await startLife(kill.kind === 'step' ? [kill.step, `${kill.count}`] : []);
    for (const worker of workers) await worker.settle();
    const working = Promise.all(workers.map((worker) => worker.workUntilDown(work)));
    if (kill.kind === 'time') {
      await pause(kill.afterMs);
      server.kill('SIGKILL');
    }
    await expectKilled(server, kill);
    await working;
  }
  await verifyWhatIsLeft(`a kill at ${JSON.stringify(kill)}`);
}

/** What a kill leaves is clean, but for bytes without a row, which have their hour. */
async function verifyWhatIsLeft(what: string): Promise<void> {
  await using store = await openStore(testConfig(directory), { log: SILENT_LOG });
  const { findings } = await verifyStore(store, { orphanGraceMs: HOUR_MS }, UNWATCHED);
  assert.deepEqual(findings, [], `after ${what}`);
}

function startLife(args: readonly string[] = []) {
  return startChild({ directory, program: [CHILD, ...args], settings: { S3_PORT: `${port}` } });
}

/** The calls of a new account; the listener has one address in all its lives. */
async function openCalls(username: string): Promise<ObjectCalls> {
  const admin = adminClient(join(directory, 'data', 'run', 'admin.sock'));
  const { account } = await admin.createAccount({ username });
  await admin.changeLimits(account, { storage_bytes: 10 ** 12 });
  const key = await admin.createS3Key(account, {});
  const raw = rawS3({
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: key.access_key_id,
    secretAccessKey: key.secret,
    region: 'auto',
    ca: undefined,
  });
  agents.push(raw);
  return objectCalls({ raw, bucket: key.default_bucket });
}
