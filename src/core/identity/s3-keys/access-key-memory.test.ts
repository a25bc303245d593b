/** Proves that the memory of keys spares work, has a bound, and loses nothing by forgetting. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { S3_KEYS_REMEMBERED_MAX } from '../../limits.ts';
import { AccessKeyMemory } from './access-key-memory.ts';

test('a secret is opened once, until so many others were that all are forgotten', () => {
  const memory = new AccessKeyMemory();
  const opened: string[] = [];
  const ask = (ciphertext: string) =>
    memory.secretOf(ciphertext, () => {
      opened.push(ciphertext);
      return `secret of ${ciphertext}`;
    });
  for (let key = 0; key < S3_KEYS_REMEMBERED_MAX; key += 1) ask(`${key}`);
  assert.equal(opened.length, S3_KEYS_REMEMBERED_MAX);
  assert.equal(ask('0'), 'secret of 0');
  assert.equal(opened.length, S3_KEYS_REMEMBERED_MAX, 'so many are remembered');
  ask('one more');
  assert.equal(ask('0'), 'secret of 0');
  assert.deepEqual(opened.slice(-2), ['one more', '0'], 'and no more than so many');
});

test('a use is noted when the last note is as old as it may be', () => {
  const memory = new AccessKeyMemory();
  assert.equal(memory.takeNote('key', 1000, 0), true);
  assert.equal(memory.takeNote('key', 1500, 999), false);
  assert.equal(memory.takeNote('other', 1500, 999), true);
  assert.equal(memory.takeNote('key', 2000, 1000), true);
  assert.equal(memory.takeNote('key', 2500, 1500), false);
});
