/** Proves that bytes come back as they came, in few pieces however they were cut. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { ChunkList } from './chunk-list.ts';

test('single bytes come back in order, in few chunks', () => {
  const bytes = randomBytes(100_003);
  const list = new ChunkList();
  for (let at = 0; at < bytes.length; at += 1) list.push(bytes.subarray(at, at + 1));
  assert.equal(list.sizeBytes, bytes.length);
  const chunks = list.take();
  assert(chunks.length < 1200, `${chunks.length} chunks`);
  assert.deepEqual(Buffer.concat(chunks), bytes);
});

test('what was taken is gone, and what comes then is told from it', () => {
  const list = new ChunkList();
  const [one, two] = [Buffer.from('one'), Buffer.from('two')];
  list.push(one);
  assert.deepEqual(list.take(), [one]);
  assert.equal(list.sizeBytes, 0);
  assert.deepEqual(list.take(), []);
  list.push(two);
  list.push(one);
  assert.deepEqual(list.take(), [two, one]);
});
