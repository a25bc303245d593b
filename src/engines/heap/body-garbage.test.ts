/** The buffers of bodies are freed each time that there are 8 MiB of them, however they come. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { BodyGarbage } from './body-garbage.ts';

const MIB = 1024 * 1024;

test('it is collected at each 8 MiB, in small pieces and in large ones', () => {
  let collections = 0;
  const garbage = new BodyGarbage(() => {
    collections += 1;
  });
  for (let sent = 0; sent < 8 * MIB - 65_536; sent += 65_536) garbage.add(65_536);
  assert.equal(collections, 0);
  garbage.add(65_536);
  assert.equal(collections, 1);
  garbage.add(7 * MIB);
  assert.equal(collections, 1);
  garbage.add(40 * MIB);
  assert.equal(collections, 2);
});
