/** Proves the form of log lines, and that fields which must not be written are not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from './log.ts';

function openLog(level = 'info') {
  const lines: Record<string, unknown>[] = [];
  const log = createLog(level, { write: (line) => void lines.push(JSON.parse(line)) });
  return { log, lines };
}

test('a line is a sentence with its level, its time and its facts', () => {
  const { log, lines } = openLog();
  log.warn({ job: 'usage' }, 'a job is late');
  const [line = {}] = lines;
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual(
    { ...line, time: '' },
    {
      level: 'warn',
      time: '',
      job: 'usage',
      msg: 'a job is late',
    },
  );
});

test('fields that hold secrets are not written, at the top or one below', () => {
  const { log, lines } = openLog();
  for (const name of [
    'authorization',
    'cookie',
    'password',
    'token',
    'secret',
    'signature',
    'appKey',
  ]) {
    log.info({ [name]: 'hush', request: { [name]: 'hush' } }, 'a slip');
  }
  assert.equal(lines.length, 7);
  assert(!JSON.stringify(lines).includes('hush'));
});

test('an error is written with its words and its stack', () => {
  const { log, lines } = openLog();
  log.error({ err: new Error('why') }, 'request failed');
  const error = lines[0]?.['err'] as Readonly<Record<string, unknown>>;
  assert.equal(error['message'], 'why');
  assert.match(String(error['stack']), /log\.test\.ts/);
});

test('lines below the level are not written, access lines among them', () => {
  const facts = {
    requestId: 'R',
    method: 'GET',
    route: '/files',
    status: 200,
    ms: 1,
    account: undefined,
    credential: undefined,
    address: '::1',
    isWhole: true,
  };
  const quiet = openLog('warn');
  quiet.log.info({}, 'not said');
  quiet.log.access(facts);
  assert.deepEqual(quiet.lines, []);
  const usual = openLog();
  usual.log.access(facts);
  assert.deepEqual(
    { ...usual.lines[0], time: '' },
    {
      level: 'info',
      time: '',
      requestId: 'R',
      method: 'GET',
      route: '/files',
      status: 200,
      ms: 1,
      address: '::1',
      isWhole: true,
      msg: 'request',
    },
  );
});
