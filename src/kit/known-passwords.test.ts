/** Proves which passwords are the ones that everybody tries first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKnownPassword } from './known-passwords.ts';

const isKnown = (text: string) => isKnownPassword(text, { charactersMin: 8 });

test('what heads every list of leaked passwords is common, whatever its capitals', async () => {
  for (const text of ['password', '12345678', 'Password', 'QWERTYUIOP', 'trustno1', 'iloveyou']) {
    assert.equal(await isKnown(text), true, text);
  }
});

test('what is short, long or nobody else’s is not', async () => {
  for (const text of ['', '123456', 'correct horse battery staple', 'password ', '__proto__']) {
    assert.equal(await isKnown(text), false, text);
  }
});
