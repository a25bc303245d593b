/** The benchmarks run, and their report has its form; how quick anything is proves nothing here. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runBench } from './bench-run.ts';
import { compareReports } from './compare.ts';
import { BodyPattern } from './load/body-pattern.ts';
import { Histogram } from './load/histogram.ts';
import { reportText } from './report.ts';
import { REPORT_FORM } from './report-form.ts';
import { type ProtocolName, ROWS, selectRows } from './rows.ts';

const directory = mkdtempSync(join(tmpdir(), 'pinfold-bench-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const ROW_NAMES: Readonly<Record<ProtocolName, readonly string[]>> = {
  files: ['put-4KiB-1', 'get-64KiB-16', 'head-4KiB-1', 'delete-4KiB-1', 'list-1000-1'],
  s3: [
    ...['put-4KiB-1', 'put-1MiB-1', 'get-64KiB-16', 'head-4KiB-1', 'delete-4KiB-1'],
    ...['list-1000-1', 'list-delimiter-1'],
  ],
};

for (const protocol of ['files', 's3'] as const) {
  test(`rows of every action of ${protocol} run without a wrong answer and make a whole report`, async () => {
    const names = ROW_NAMES[protocol];
    const seen: string[] = [];
    mkdirSync(join(directory, protocol));
    const report = await runBench(
      {
        root: join(import.meta.dirname, '..'),
        protocol,
        directory: join(directory, protocol),
        rows: selectRows(ROWS[protocol], names),
        runs: 1,
        effort: {
          runMs: 60,
          warmMs: 20,
          listKeys: 1500,
          listKeysOfPeers: 1500,
          readCountMax: 16,
        },
        peers: [],
        beside: 'none',
      },
      { onNote: () => undefined, onRow: ({ row }) => seen.push(row) },
      { signal: new AbortController().signal },
    );
    assert.equal(report.form, REPORT_FORM);
    assert.deepEqual(seen.sort(), [...names].sort());
    for (const row of report.rows) {
      assert.equal(row.failures, 0, row.failureTexts.join('; '));
      assert(row.requests > 0 && row.rate.median > 0, row.row);
      assert(row.p50Us > 0 && row.p99Us >= row.p50Us, row.row);
      assert(row.generatorCpuUs > 0, row.row);
    }
    assert(report.rows.some(({ comparedAnswers }) => comparedAnswers > 0));
    const text = reportText(report);
    for (const name of names) assert.match(text, new RegExp(`^${name} +pinfold `, 'm'));
    assert.match(text, /RATE_LIMIT_PER_SECOND=/);
    const same = compareReports(report, JSON.parse(JSON.stringify(report)));
    assert.match(same, new RegExp(`0 of ${names.length} rows`));
  });
}

test('a word that names no row is refused with the rows there are', () => {
  assert.throws(() => selectRows(ROWS.files, ['put-5KiB']), /put-4KiB-16/);
});

test('quantiles are within two percent of the latencies that were added', () => {
  const histogram = new Histogram();
  for (let us = 1; us <= 10_000; us += 1) histogram.add(us / 1000);
  for (const fraction of [0.1, 0.5, 0.99]) {
    const error = histogram.quantileUs(fraction) / (fraction * 10_000) - 1;
    assert(Math.abs(error) < 0.02, `${fraction}: ${error}`);
  }
});

test('a body is recognized in any pieces, and one wrong byte is not', () => {
  const pattern = new BodyPattern(10_000);
  const body = Buffer.from(pattern.bytes);
  pattern.stamp(body, 0, 77);
  const cuts = [0, 3, 8, 9, 4096, 10_000];
  for (const [at, start] of cuts.slice(0, -1).entries()) {
    assert(pattern.matches(body.subarray(start, cuts[at + 1]), start, 77));
  }
  assert(!pattern.matches(body, 0, 78));
  const wrong = Buffer.from(body);
  wrong[9999] = (wrong[9999] ?? 0) ^ 1;
  assert(!pattern.matches(wrong.subarray(9000), 9000, 77));
});

test('nothing of a run is left in its directory but the data that its owner removes', () => {
  for (const protocol of ['files', 's3']) {
    assert.deepEqual(readdirSync(join(directory, protocol)), ['pinfold']);
  }
});
