/** Proves that no secret is ever shown: not by the listing, and not by a refusal. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { configOf } from './config.ts';
import { describeSettings, redact } from './describe-settings.ts';
import { environmentOf } from './env.ts';
import { ConfigError } from './refusal.ts';
import { SETTINGS } from './settings.ts';
import { gatherSettings } from './sources.ts';

const workingDirectory = mkdtempSync(join(tmpdir(), 'pinfold-describe-'));
after(() => rmSync(workingDirectory, { recursive: true, force: true }));

/** Everything that a person sees of a configuration: its listing, or its refusals. */
function shownOf(variables: Readonly<Record<string, string>>): string {
  try {
    const texts = gatherSettings({ environment: environmentOf(variables), workingDirectory });
    const listing = JSON.stringify(describeSettings(texts, { workingDirectory }));
    try {
      configOf(texts, { workingDirectory });
      return listing;
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return `${listing} ${error.message}`;
    }
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
}

/** Long and odd enough not to stand in any of our sentences. */
const secrets = fc
  .string({ minLength: 8, maxLength: 24, unit: 'grapheme-ascii' })
  .map((text) => `Zq9${text.replaceAll(' ', '_')}`);

const urls = fc.constantFrom('DATABASE_URL', 'BLOB_URL', 'REDIS_URL');
const schemes = fc.constantFrom('postgres', 'postgresql', 'redis', 'rediss', 's3', 'http', 'https');

/** The secret as it is, and as a URL may spell it; two pieces, since a mark may split it. */
function assertHidden(shown: string, secret: string): void {
  const pieces = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  const tail = secret.slice(3).split(/[/?#@:\\]/);
  for (const piece of [...pieces, ...tail.filter((text) => text.length >= 6)]) {
    assert.ok(!shown.includes(piece), `${piece} is shown in ${shown}`);
  }
}

test('passwords inside URLs are never shown, however they are spelled', () => {
  fc.assert(
    fc.property(secrets, urls, schemes, fc.boolean(), (secret, name, scheme, isEncoded) => {
      const password = isEncoded ? encodeURIComponent(secret) : secret;
      const url = `${scheme}://user:${password}@host.example/db?sslmode=require`;
      assertHidden(shownOf({ [`PINFOLD_${name}`]: url }), secret);
    }),
    { numRuns: 2000 },
  );
});

test('passwords in the query of a URL are not shown', () => {
  fc.assert(
    fc.property(secrets, fc.constantFrom('password', 'sslpassword', 'x'), (secret, parameter) => {
      const url = `postgres://user@host/db?sslmode=require&${parameter}=${encodeURIComponent(secret)}`;
      const shown = shownOf({ PINFOLD_DATABASE_URL: url });
      assertHidden(shown, secret);
      assert.ok(shown.includes('sslmode=require'));
    }),
  );
});

test('a refused value is not quoted, whatever variable it was put into', () => {
  const names = Object.keys(SETTINGS).filter((name) => !/_DIR$|_FILE$/.test(name));
  fc.assert(
    fc.property(secrets, fc.constantFrom(...names, 'NO_SUCH_SETTING'), (secret, name) => {
      let message = '';
      try {
        const environment = environmentOf({ [`PINFOLD_${name}`]: `${secret}!` });
        configOf(gatherSettings({ environment, workingDirectory }), { workingDirectory });
      } catch (error) {
        assert.ok(error instanceof ConfigError);
        message = error.message;
      }
      assertHidden(message, secret);
    }),
    { numRuns: 1000 },
  );
});

test('a file that is not TOML is not quoted', () => {
  writeFileSync(join(workingDirectory, 'broken.toml'), 'database_url = "postgres://u:Zq9hunter2\n');
  const shown = shownOf({ PINFOLD_CONFIG_FILE: 'broken.toml' });
  assert.match(shown, /broken\.toml/);
  assert.doesNotMatch(shown, /hunter2/);
});

test('a secret setting shows nothing of its value', () => {
  fc.assert(fc.property(secrets, (secret) => redact({ secrecy: 'secret' }, secret) === '***'));
});

test('the listing says where each value comes from', () => {
  writeFileSync(join(workingDirectory, 'some.toml'), 'region = "eu"\n');
  const environment = environmentOf({
    PINFOLD_CONFIG_FILE: 'some.toml',
    PINFOLD_DATABASE_URL: 'postgres://me:secret@db/pinfold',
  });
  const texts = gatherSettings({ environment, workingDirectory });
  const listing = describeSettings(texts, { workingDirectory });
  const find = (name: string) => listing.find((setting) => setting.name === name);
  assert.equal(listing.length, Object.keys(SETTINGS).length);
  assert.equal(find('REGION')?.origin, 'file');
  assert.equal(find('REGION')?.label, `region in ${join(workingDirectory, 'some.toml')}`);
  assert.equal(find('DATABASE_URL')?.origin, 'env');
  assert.equal(find('DATABASE_URL')?.value, 'postgres://me:***@db/pinfold');
  assert.equal(find('API_PORT')?.origin, 'default');
  assert.equal(find('API_PORT')?.value, '8080');
  assert.equal(find('CAPACITY_BYTES')?.value, undefined);
  assert.equal(find('CAPACITY_BYTES')?.words, 'no limit');
  assert.equal(find('DATA_DIR')?.value, join(workingDirectory, 'data'));
});
