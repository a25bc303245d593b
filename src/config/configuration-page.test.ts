/** Proves that docs/configuration.md is what the settings say. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configurationPage } from '../../scripts/configuration-page.ts';
import { SETTINGS } from './settings.ts';

test('the configuration page is current; if not, run npm run docs', () => {
  const file = new URL('../../docs/configuration.md', import.meta.url);
  assert.equal(readFileSync(file, 'utf8'), configurationPage());
});

test('every setting stands on the configuration page with a sentence', () => {
  const page = configurationPage();
  for (const { name, doc } of Object.values(SETTINGS)) {
    assert.ok(page.includes(`### \`PINFOLD_${name}\`\n`), name);
    assert.match(doc, /^[A-Z].*\.$/s, name);
  }
});
