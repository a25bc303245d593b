/**
 * Proves that the sources keep the rules which no linter knows (tests/tidy), and that each rule can
 * fail. Rules that are not kept everywhere yet are ratchets: their counts stand in
 * tests/tidy/ratchets.json and may only fall.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SETTINGS } from '../src/config/settings.ts';
import { ERROR_CODES } from '../src/core/errors.ts';
import { KNOWN_ARROWS } from './tidy/arrows.ts';
import { BREACHES } from './tidy/breaches.ts';
import { KNOWN_FUNCTIONS } from './tidy/ports.ts';
import { type Registers, RULES, type RuleName } from './tidy/rules.ts';
import { type Finding, readTree, treeOf } from './tidy/source-tree.ts';

const ROOT = join(import.meta.dirname, '..');
const tree = readTree(ROOT);
const registers: Registers = { settings: Object.keys(SETTINGS), errorCodes: ERROR_CODES };
const ratchets = JSON.parse(
  readFileSync(join(import.meta.dirname, 'tidy', 'ratchets.json'), 'utf8'),
) as Readonly<Partial<Record<RuleName, number>>>;

for (const [name, find] of Object.entries(RULES)) {
  test(name, (t) => {
    const findings = find(tree, registers);
    const allowed = ratchets[name as RuleName] ?? 0;
    if (findings.length < allowed) {
      t.diagnostic(`ratchets.json may be lowered: ${name}: ${findings.length}`);
    }
    assert.ok(findings.length <= allowed, `at most ${allowed} allowed\n${listOf(findings)}`);
  });
}

for (const [name, breaches] of Object.entries(BREACHES)) {
  test(`the rule can fail: ${name}`, () => {
    const find = RULES[name as RuleName];
    for (const { broken, kept, registers: lists = { settings: [], errorCodes: [] } } of breaches) {
      const findings = find(treeOf(broken), lists);
      assert.equal(findings.length, 1, `${JSON.stringify(broken)}\n${listOf(findings)}`);
      assert.deepEqual(find(treeOf(kept), lists), [], JSON.stringify(kept));
    }
  });
}

test('each exception to the arrows is still needed', () => {
  for (const { from, to } of KNOWN_ARROWS) {
    const imports = tree.sources.get(from)?.imports ?? [];
    assert.ok(
      imports.some(({ target }) => target === to),
      `${from} no longer imports ${to}`,
    );
  }
});

test('each function that is left in the port still stands there', () => {
  for (const { path, line } of KNOWN_FUNCTIONS) {
    const lines = tree.sources.get(path)?.text.split('\n') ?? [];
    assert.ok(
      lines.some((text) => text.trim().startsWith(line)),
      `${path} no longer has ${line}`,
    );
  }
});

test('ratchets belong to rules', () => {
  for (const name of Object.keys(ratchets)) assert.ok(name in RULES, name);
});

function listOf(findings: readonly Finding[]): string {
  return findings.map(({ path, line, problem }) => `${path}:${line}: ${problem}`).join('\n');
}
