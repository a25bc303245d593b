/** What every password hasher promises, as tests. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isServiceError } from '../errors.ts';
import type { PasswordHasher } from './password-hasher.ts';

/** `open` gives a hasher that runs one at once and lets one wait. */
export function describePasswordHasher(name: string, open: () => Promise<PasswordHasher>): void {
  describe(`password hasher: ${name}`, () => {
    test('a hash verifies its password and no other', async () => {
      const passwords = await open();
      const hash = await passwords.hash('correct horse battery');
      assert.equal(await passwords.verify('correct horse battery', hash), true);
      assert.equal(await passwords.verify('correct horse batterz', hash), false);
      assert.equal(await passwords.verify('', hash), false);
    });

    test('one password hashed twice gives two hashes, both good', async () => {
      const passwords = await open();
      const one = await passwords.hash('pass phrase');
      const other = await passwords.hash('pass phrase');
      assert.notEqual(one, other);
      assert(await passwords.verify('pass phrase', one));
      assert(await passwords.verify('pass phrase', other));
    });

    test('passwords of any letters and 1024 bytes are kept whole', async () => {
      const passwords = await open();
      const long = `${'ü'.repeat(511)}a`;
      const hash = await passwords.hash(long);
      assert.equal(await passwords.verify(long, hash), true);
      assert.equal(await passwords.verify(`${'ü'.repeat(511)}b`, hash), false);
      const withNul = await passwords.hash('before\0after');
      assert.equal(await passwords.verify('before\0other', withNul), false);
    });

    test('without a hash no password is right, not even an empty one', async () => {
      const passwords = await open();
      assert.equal(await passwords.verify('anything', undefined), false);
      assert.equal(await passwords.verify('', undefined), false);
    });

    test('what is no hash is reported as corrupt', async () => {
      const passwords = await open();
      for (const text of ['', 'plain', '$argon2id$v=19$m=1,t=1']) {
        await assert.rejects(passwords.verify('anything', text), (error) =>
          isServiceError(error, 'corrupt'),
        );
      }
    });

    test('too many at once are refused, and the places are free again afterwards', async () => {
      const passwords = await open();
      const tries = Array.from({ length: 6 }, () => passwords.verify('anything', undefined));
      const outcomes = await Promise.allSettled(tries);
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      assert.equal(refused.length, 4);
      assert(refused.every(({ reason }) => isServiceError(reason, 'rate_limited')));
      assert.equal(await passwords.verify('anything', undefined), false);
    });

    test('who gives up while waiting is let go', async () => {
      const passwords = await open();
      const stop = new AbortController();
      const running = passwords.verify('anything', undefined);
      const waiting = passwords.hash('anything', { signal: stop.signal });
      stop.abort();
      await assert.rejects(waiting, (error) => isServiceError(error, 'aborted'));
      assert.equal(await running, false);
    });
  });
}
