/** Proves that little is always let in, that much is let in while there is room, and given back. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { SharedRoom } from './shared-room.ts';

test('each has its own bytes, and beyond them takes what all share', () => {
  const room = new SharedRoom({ ownBytes: 10, sharedBytes: 100, ownerBytes: 100 });
  const [large, other, small] = [room.open('ann'), room.open('bob'), room.open('cid')];
  assert.equal(large.take(4), true);
  assert.equal(large.take(100), true);
  assert.equal(room.takenBytes, 94);
  assert.equal(other.take(17), false, 'it would be one more than there is');
  assert.equal(other.take(16), true);
  assert.equal(small.take(10), true);
  assert.equal(small.take(1), false);
});

test('what was taken is given back once', () => {
  const room = new SharedRoom({ ownBytes: 0, sharedBytes: 100, ownerBytes: 100 });
  const [one, other] = [room.open('ann'), room.open('bob')];
  assert.equal(one.take(60), true);
  assert.equal(other.take(40), true);
  one.end();
  one.end();
  assert.equal(room.takenBytes, 40);
  assert.equal(other.take(60), true);
  other.end();
  assert.equal(room.takenBytes, 0);
});

test('one owner takes no more than its part, however many shares it opens', () => {
  const room = new SharedRoom({ ownBytes: 5, sharedBytes: 100, ownerBytes: 50 });
  const [one, other, another] = [room.open('ann'), room.open('ann'), room.open('bob')];
  assert.equal(one.take(45), true);
  assert.equal(other.take(16), false, 'it would be one more than its owner may');
  assert.equal(other.take(15), true);
  assert.equal(another.take(55), true);
  one.end();
  assert.equal(room.takenBytes, 60);
  assert.equal(other.take(40), true);
});
