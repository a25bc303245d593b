/**
 * Proves that master key files are read strictly and that sealed texts open only where they belong.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '../../tests/world/seeded-random.ts';
import {
  keyringOf,
  MASTER_KEY_RANDOM_BYTES,
  MasterKeyFileError,
  newMasterKeyLine,
  openText,
  parseMasterKeys,
  SEAL_NONCE_BYTES,
  sealText,
} from './keyring.ts';

const random = seededRandom('keyring');
const lineOf = () => newMasterKeyLine(random.bytes(MASTER_KEY_RANDOM_BYTES));
const nonce = () => random.bytes(SEAL_NONCE_BYTES);

test('a new line is read again, and the last line is the newest key', () => {
  const [first, second] = [lineOf(), lineOf()];
  const keys = parseMasterKeys(`# made at first start\n\n${first}\r\n  ${second}  \n`);
  assert.deepEqual(
    keys.map((key) => key.kid),
    [first.split(' ')[0], second.split(' ')[0]],
  );
  assert.equal(keyringOf(keys).newest('x').kid, second.split(' ')[0]);
});

test('a bad file is refused by line number and never quoted', () => {
  const good = lineOf();
  const secret = good.split(' ')[1] ?? '';
  const bad = ['', '# only a comment', 'kid', `kid ${secret.slice(1)}`, `a.b ${secret}`];
  for (const text of [...bad, `${good} more`, `${good}\n${good}`, `kid ${'_'.repeat(43)}`]) {
    assert.throws(
      () => parseMasterKeys(text),
      (error) => error instanceof MasterKeyFileError && !error.message.includes(secret.slice(5)),
    );
  }
});

test('any text is read as keys or refused as a master key file', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      try {
        parseMasterKeys(text);
      } catch (error) {
        assert(error instanceof MasterKeyFileError);
      }
    }),
  );
});

test('purposes and master keys give different keys, the same ones the same', () => {
  const keyring = keyringOf(parseMasterKeys(`${lineOf()}\n${lineOf()}`));
  const again = keyring.newest('one');
  const exported = (key: { readonly key: { export(): Buffer } }) =>
    key.key.export().toString('hex');
  assert.equal(keyring.newest('one'), again);
  assert.notEqual(exported(keyring.newest('two')), exported(again));
  assert.equal(keyring.find('one', 'unknown'), undefined);
  assert.equal(keyring.find('one', again.kid), again);
});

test('sealed text round-trips for any text and place', () => {
  const keyring = keyringOf(parseMasterKeys(lineOf()));
  const wellFormed = fc.string({ unit: 'grapheme' });
  fc.assert(
    fc.property(wellFormed, wellFormed, (text, place) => {
      const sealed = sealText(keyring, { purpose: 'p', place, text, nonce: nonce() });
      assert.match(sealed, /^v1\.[\w-]+\.[\w-]{16}\.[\w-]+$/);
      assert.equal(openText(keyring, { purpose: 'p', place, sealed }), text);
    }),
  );
});

test('a rotated keyring opens what the old key sealed, and without it nothing does', () => {
  const old = lineOf();
  const keyring = keyringOf(parseMasterKeys(old));
  const sealed = sealText(keyring, { purpose: 'p', place: 'a/1', text: 'x', nonce: nonce() });
  const rotated = keyringOf(parseMasterKeys(`${old}\n${lineOf()}`));
  assert.equal(openText(rotated, { purpose: 'p', place: 'a/1', sealed }), 'x');
  const without = keyringOf(parseMasterKeys(lineOf()));
  assert.equal(openText(without, { purpose: 'p', place: 'a/1', sealed }), undefined);
});

test('sealed text does not open at another place, for another purpose, or changed anywhere', () => {
  const keyring = keyringOf(parseMasterKeys(lineOf()));
  const sealed = sealText(keyring, { purpose: 'p', place: 'a/1', text: 'secret', nonce: nonce() });
  assert.equal(openText(keyring, { purpose: 'p', place: 'a/2', sealed }), undefined);
  assert.equal(openText(keyring, { purpose: 'q', place: 'a/1', sealed }), undefined);
  for (let at = 0; at < sealed.length; at += 1) {
    const letter = sealed[at] === 'A' ? 'B' : 'A';
    const changed = sealed.slice(0, at) + letter + sealed.slice(at + 1);
    assert.equal(openText(keyring, { purpose: 'p', place: 'a/1', sealed: changed }), undefined);
  }
  for (const text of ['', 'v1', 'v1...', `${sealed}.x`, sealed.slice(0, -8), 'v2.a.b.c']) {
    assert.equal(openText(keyring, { purpose: 'p', place: 'a/1', sealed: text }), undefined);
  }
});
