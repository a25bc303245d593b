/** Runs the contract against Argon2id. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describePasswordHasher } from '../../core/ports/password-hasher-contract.ts';
import { Argon2PasswordHasher } from './argon2-password-hasher.ts';

const open = async () => new Argon2PasswordHasher({ atOnceMax: 1, waitingMax: 1 });

describePasswordHasher('argon2', open);

test('a hash names Argon2id and its costs', async () => {
  const passwords = await open();
  assert.match(await passwords.hash('pass phrase'), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
});
