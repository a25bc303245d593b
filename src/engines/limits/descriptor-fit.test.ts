/** Proves that what is fitted never needs more descriptors than there are, and serves some. */
import { strict as assert } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { DESCRIPTORS_MIN, descriptorLimit, fitDescriptors } from './descriptor-fit.ts';

test('what is fitted never passes the limit, and leaves some for the store itself', () => {
  const wanted = fc.option(fc.integer({ min: 1, max: 1_000_000 }), { nil: undefined });
  fc.assert(
    fc.property(fc.integer({ min: DESCRIPTORS_MIN, max: 2_000_000 }), wanted, (limit, asked) => {
      const fit = fitDescriptors(limit, asked);
      assert.ok(fit !== undefined);
      const { connectionsMax, openReadersMax, openSegmentsMax } = fit;
      assert.ok(4 * connectionsMax + openReadersMax + openSegmentsMax + 127 <= limit);
      assert.ok(connectionsMax >= Math.min(16, asked ?? 16));
      assert.ok(asked === undefined || connectionsMax <= asked);
      assert.ok(openReadersMax >= 0 && openSegmentsMax >= 1);
    }),
  );
});

test('nothing is taken away where there is room, or no limit', () => {
  const whole = { connectionsMax: 1000, openReadersMax: 2048, openSegmentsMax: 512 };
  assert.deepEqual(fitDescriptors(8192, 1000), whole);
  assert.deepEqual(fitDescriptors(undefined, 1000), whole);
  assert.equal(fitDescriptors(undefined, undefined)?.connectionsMax, Number.POSITIVE_INFINITY);
  const small = fitDescriptors(1024, 1000);
  assert.ok(small !== undefined && small.connectionsMax > 100 && small.connectionsMax < 224);
});

test('too few are refused', () => {
  assert.equal(fitDescriptors(DESCRIPTORS_MIN - 1, 1000), undefined);
});

test('the limit is the one that the process has', {
  skip: process.platform !== 'linux' && 'only Linux has prlimit',
}, () => {
  const module = new URL('./descriptor-fit.ts', import.meta.url).href;
  const script = `
    const { descriptorLimit } = await import(${JSON.stringify(module)});
    console.log(descriptorLimit());`;
  const node = [process.execPath, '--input-type=module', '--eval', script];
  const said = execFileSync('prlimit', ['--nofile=700:900', ...node], { encoding: 'utf8' });
  assert.equal(said, '900\n', 'Node raises the soft limit to the hard one');
  assert.ok(descriptorLimit() === undefined || Number(descriptorLimit()) > 0);
});
