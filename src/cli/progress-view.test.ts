/**
 * Proves what a bar shows, how often it is drawn, and that nobody gets one who does not want it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesText } from './bytes-text.ts';
import { progressLine, progressView } from './progress-view.ts';

function openTerminal(hasBars: boolean) {
  const notes: string[] = [];
  const clock = { ms: 0 };
  const terminal = {
    writeResult: () => assert.fail('bars are no results'),
    writeNote: (text: string) => void notes.push(text),
    hasColor: false,
    hasBars,
    elapsedMs: () => clock.ms,
  };
  return { terminal, notes, clock };
}

test('a line says how much is done, how fast, and how long it still takes', () => {
  const half = { step: 'blobs', done: 1_300_000_000, total: 2_600_000_000 } as const;
  assert.equal(
    progressLine(half, 10),
    'Blobs [############------------]  50 %  1.3 GB of 2.6 GB  130 MB/s  0:10 left',
  );
  assert.equal(
    progressLine({ step: 'segments', done: 10, total: 100_000 }, 1),
    'Segments [------------------------]   0 %  10 B of 100 kB  10 B/s  2:46:39 left',
  );
  assert.equal(
    progressLine({ step: 'rows', done: 12_000, total: undefined }, 2),
    'Rows  12,000  6,000/s',
  );
  assert.equal(
    progressLine({ step: 'blobs', done: 0, total: 0 }, 0),
    'Blobs [########################] 100 %  0 B of 0 B',
  );
});

test('a bar is drawn ten times a second at most, and taken away in the end', () => {
  const { terminal, notes, clock } = openTerminal(true);
  const view = progressView(terminal, {});
  for (clock.ms = 0; clock.ms <= 1000; clock.ms += 1) {
    view.update({ step: 'blobs', done: clock.ms, total: 1000 });
  }
  view.update({ step: 'kept', done: 1, total: undefined });
  view.end();
  assert.equal(notes.length, 11 + 1 + 1);
  assert.ok(notes.every((note) => note.startsWith('\r\u001b[K')));
  assert.equal(notes.at(-1), '\r\u001b[K');
});

test('no bar without a terminal, when it is refused, or when nothing is to be said', () => {
  const update = { step: 'blobs', done: 1, total: 2 } as const;
  const countNotes = (hasBars: boolean, shown: Parameters<typeof progressView>[1]) => {
    const { terminal, notes } = openTerminal(hasBars);
    const view = progressView(terminal, shown);
    view.update(update);
    view.end();
    return notes.length;
  };
  assert.equal(countNotes(false, {}), 0);
  assert.equal(countNotes(true, { progress: false }), 0);
  assert.equal(countNotes(true, { quiet: true }), 0);
  assert.equal(countNotes(true, {}), 2);
  assert.equal(countNotes(false, { progress: true }), 2);
});

test('bytes are said in powers of a thousand', () => {
  const cases = [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9949, '9.9 kB'],
    [9990, '10 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [5.5e15, '5.5 PB'],
    [5.5e18, '5500 PB'],
  ] as const;
  for (const [bytes, text] of cases) assert.equal(bytesText(bytes), text);
});
