/**
 * Proves by the system calls of a real server on a real disk that what is acknowledged is durable:
 * the bytes are written and synced, then the row is written to the log and the log is synced, and
 * only then does the first byte of the answer go to the socket; so for small and large bodies, for
 * groups, for new segments and folders, and for deletes (invariant 1).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freshDirectory, openUser, startChild } from '../world/server.ts';
import { parseSystemCalls, type SystemCall } from './system-calls.ts';

const CHILD = join(import.meta.dirname, 'store-child.ts');
const WRITES = ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'sendmsg', 'sendto'];
const SYNCS = ['fdatasync', 'fsync'];
const TRACED = [...WRITES, ...SYNCS, 'openat', 'mkdir'];
/** A page of the log is shown whole. */
const SHOWN_BYTES = 5000;
const LARGE_BYTES = 600_000;
const LONE_UPLOADS = ['lone-1', 'lone-2', 'lone-3', 'lone-4', 'lone-5'];
const GROUPED_UPLOADS = Array.from({ length: 16 }, (_, index) => `grouped-${index + 10}`);
const LARGE_UPLOADS = ['large-1', 'large-2', 'large-3'];

suite('the order of syncs', { skip: whyNoTrace() }, () => {
  let directory: string;
  let calls: readonly SystemCall[] = [];

  before(async () => {
    directory = await freshDirectory();
    calls = await traceWork(directory);
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const name of [...LONE_UPLOADS, ...GROUPED_UPLOADS]) {
    test(`a small upload is answered when its segment and then the log are synced: ${name}`, () => {
      const record = writesOf(calls, name, (path) => path.includes('/blobs/segments/'));
      const row = rowsOf(calls, name);
      synced(calls, pathOf(record), { after: record, before: row });
      synced(calls, pathOf(row), { after: row, before: [answerOf(calls, name)] });
    });
  }

  test('the name of the log is durable before the first answer, whoever made it', () => {
    const opened = calls.filter(
      ({ name, args, path = '' }) =>
        name === 'openat' && isLog(path) && !args.includes('O_CREAT') && args.includes('O_RDWR'),
    );
    synced(calls, dirname(pathOf(opened)), { after: opened, before: calls.filter(isAnswer) });
  });

  test('a new segment has its head and its name durable before the first answer', () => {
    const record = writesOf(calls, 'lone-1', (path) => path.includes('/blobs/segments/'));
    const path = pathOf(record);
    const made = calls.filter((call) => call.path === path && isMaking(call));
    const head = calls.filter((call) => call.path === path && call.args.includes('PFSEG1'));
    assert.equal(made.length, 1);
    synced(calls, path, { after: head, before: record });
    synced(calls, dirname(path), { after: made, before: record });
  });

  for (const name of LARGE_UPLOADS) {
    test(`a large upload is answered when its file, its folder and then the log are synced: ${name}`, () => {
      const first = writesOf(calls, name, (path) => /\/blobs\/..\/..\/[0-9a-f]{16}$/.test(path));
      const path = pathOf(first);
      const ofFile = calls.filter((call) => call.path === path);
      const written = ofFile.filter((call) => isWrite(call));
      const sizeBytes = written.reduce((sum, { result }) => sum + Number(result), 0);
      assert.ok(sizeBytes > LARGE_BYTES, 'all of the body and its footer were seen');
      // Before the first byte, the operation is written as running.
      const begins = Math.min(...first.map(({ startedAt }) => startedAt));
      const row = rowsOf(calls, name, begins);
      synced(calls, path, { after: written, before: row });
      synced(calls, dirname(path), { after: ofFile.filter(isMaking), before: row });
      synced(calls, pathOf(row), { after: row, before: [answerOf(calls, name)] });
    });
  }

  test('new folders are named durably before the first large upload is answered', () => {
    const answer = answerOf(calls, 'large-1');
    const made = calls.filter(
      ({ name, args, result }) => name === 'mkdir' && /\/blobs\//.test(args) && result === '0',
    );
    const paths = made.map(({ args }) => /^"([^"]+)"/.exec(args)?.[1] ?? '');
    assert.equal(paths.filter((path) => /\/blobs\/..(\/..)?$/.test(path)).length, 2);
    for (const [index, call] of made.entries()) {
      synced(calls, dirname(paths[index] ?? ''), { after: [call], before: [answer] });
    }
  });

  test('a delete is answered when the log is synced behind all that it wrote', () => {
    const answers = calls.filter(isAnswer);
    const deletes = answers.slice(-LONE_UPLOADS.length);
    for (const answer of deletes) {
      assert.match(answer.args, /HTTP\/1\.1 200 /);
      const previous = answers[answers.indexOf(answer) - 1];
      assert.ok(previous);
      const rows = calls.filter(
        (call) =>
          isWrite(call) &&
          isLog(call.path ?? '') &&
          call.startedAt > previous.endedAt &&
          call.startedAt < answer.startedAt,
      );
      assert.ok(rows.length > 0, 'a delete writes to the log before its answer');
      synced(calls, pathOf(rows), { after: rows, before: [answer] });
    }
  });
});

/**
 * Works on a traced server, whose jobs are off so that only requests write, and answers its calls.
 */
async function traceWork(directory: string): Promise<readonly SystemCall[]> {
  const file = join(directory, 'trace');
  const shown = ['-y', '-s', `${SHOWN_BYTES}`, '-e', `trace=${TRACED.join()}`];
  const server = await startChild({
    directory,
    // `-D` makes the server our own child, and the tracer its companion.
    runBy: ['strace', '-D', '-f', '-o', file, ...shown],
    program: [CHILD, JSON.stringify({ jobs: 'none' })],
  });
  try {
    const key = await openUser(server.url, 'traced');
    const upload = (name: string, sizeBytes: number) => send(server.url, { key, name, sizeBytes });
    for (const name of LONE_UPLOADS) await upload(name, 3000);
    await Promise.all(GROUPED_UPLOADS.map((name) => upload(name, 3000)));
    for (const name of LARGE_UPLOADS) await upload(name, LARGE_BYTES);
    for (const name of LONE_UPLOADS) await remove(server.url, { key, name });
  } finally {
    await server[Symbol.asyncDispose]();
  }
  return parseSystemCalls(await finishedTrace(file, server.pid));
}

/** The tracer outlives the server for a moment; what it writes last is that the server ended. */
async function finishedTrace(file: string, pid: number): Promise<string> {
  const isFinished = new RegExp(`^${pid} +\\+\\+\\+ killed by SIGKILL \\+\\+\\+$`, 'm');
  for (;;) {
    const trace = readFileSync(file, 'latin1');
    if (isFinished.test(trace)) return trace;
    await pause(20);
  }
}

async function send(
  url: string,
  {
    key,
    name,
    sizeBytes,
  }: { readonly key: string; readonly name: string; readonly sizeBytes: number },
): Promise<void> {
  const response = await fetch(`${url}/upload?file_name=${name}`, {
    method: 'POST',
    headers: { authorization: `ApiKey ${key}` },
    body: Buffer.alloc(sizeBytes, `bytes of ${name}, `),
  });
  assert.equal(response.status, 202, await response.text());
}

async function remove(
  url: string,
  { key, name }: { readonly key: string; readonly name: string },
): Promise<void> {
  const response = await fetch(`${url}/deleteFile`, {
    method: 'POST',
    headers: { authorization: `ApiKey ${key}` },
    body: JSON.stringify({ file_name: name }),
  });
  assert.equal(response.status, 200, await response.text());
}

/**
 * Asserts that a sync of `path` began after all of `after` had ended and ended before any of
 * `before` began, and answers it.
 */
function synced(
  calls: readonly SystemCall[],
  path: string,
  {
    after,
    before,
  }: { readonly after: readonly SystemCall[]; readonly before: readonly SystemCall[] },
): SystemCall {
  const begins = Math.max(...after.map(({ endedAt }) => endedAt));
  const ends = Math.min(...before.map(({ startedAt }) => startedAt));
  const found = calls.find(
    (call) =>
      SYNCS.includes(call.name) &&
      call.path === path &&
      call.result === '0' &&
      call.startedAt > begins &&
      call.endedAt < ends,
  );
  assert.ok(found, `a sync of ${path} between lines ${begins + 1} and ${ends + 1} of the trace`);
  return found;
}

/** The writes of bytes that hold `name`, to one file of those wanted. */
function writesOf(
  calls: readonly SystemCall[],
  name: string,
  isWanted: (path: string) => boolean,
): readonly SystemCall[] {
  return calls.filter(
    (call) => isWrite(call) && isWanted(call.path ?? '') && call.args.includes(name),
  );
}

/**
 * What the transaction that published a name wrote to the log, from the first page that holds the
 * name to the frame that commits; `since` leaves out what was written of the name before.
 */
function rowsOf(calls: readonly SystemCall[], name: string, since = 0): readonly SystemCall[] {
  const [first] = writesOf(calls, name, isLog).filter(({ startedAt }) => startedAt > since);
  assert.ok(first, `${name} is written to the log`);
  const log = calls.filter(
    (call) => isWrite(call) && call.path === first.path && call.startedAt >= first.startedAt,
  );
  // A frame is a header and its page, one call each; the page at hand may be of the last frame.
  const before = calls.findLast(
    (call) => call.path === first.path && call.startedAt < first.startedAt && isFrameHeader(call),
  );
  if (before !== undefined && isCommit(before)) return [first];
  const last = log.findIndex(isCommit);
  assert.ok(last >= 0, `${name} is committed`);
  return log.slice(0, last + 2);
}

/** https://www.sqlite.org/fileformat2.html, 4.1: the header of a frame has 24 bytes. */
function isFrameHeader(call: SystemCall): boolean {
  return isWrite(call) && call.result === '24';
}

/** The frame that ends a transaction has the size of the file behind its page number. */
function isCommit(call: SystemCall): boolean {
  const shown = /"((?:[^"\\]|\\.)*)"/.exec(call.args)?.[1] ?? '';
  const bytes = [...shown.matchAll(/\\([0-7]{1,3}|.)|[^\\]/g)].map(([byte]) => byte);
  return isFrameHeader(call) && bytes.slice(4, 8).some((byte) => !/^\\0+$/.test(byte));
}

/** The one path that calls are about. */
function pathOf(calls: readonly SystemCall[]): string {
  const paths = new Set(calls.map(({ path }) => path));
  const [path] = paths;
  assert.ok(path !== undefined && paths.size === 1, `one file, not ${[...paths].join()}`);
  return path;
}

function answerOf(calls: readonly SystemCall[], name: string): SystemCall {
  const answer = calls.find((call) => isAnswer(call) && call.args.includes(name));
  assert.ok(answer, `an answer that names ${name}`);
  assert.match(answer.args, /HTTP\/1\.1 202 /);
  return answer;
}

function isWrite({ name }: SystemCall): boolean {
  return WRITES.includes(name);
}

function isMaking({ name, args }: SystemCall): boolean {
  return name === 'openat' && args.includes('O_CREAT') && args.includes('O_EXCL');
}

/** The head of an answer, which goes to the socket with or before the body. */
function isAnswer(call: SystemCall): boolean {
  return (
    isWrite(call) && (call.path ?? '').startsWith('socket:') && call.args.includes('HTTP/1.1 ')
  );
}

function isLog(path: string): boolean {
  return path.endsWith('/metadata.db-wal');
}

function whyNoTrace(): string | false {
  const { status } = spawnSync('strace', ['-D', '-f', '-o', '/dev/null', 'true']);
  return status === 0 ? false : 'strace cannot trace a process here';
}
