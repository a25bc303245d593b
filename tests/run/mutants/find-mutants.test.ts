/** Proves that every refusal of a source has a mutant, which is still TypeScript where it was. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { type Depth, mutantsOf } from './find-mutants.ts';

function mutate(source: string, depth: Depth = 'refusals'): readonly string[] {
  return mutantsOf('a.ts', source, depth).map(
    ({ start, end, text }) => source.slice(0, start) + text + source.slice(end),
  );
}

test('a check is never true, and its comparison moves', () => {
  assert.deepEqual(mutate("if (a as number < 1) throw new Error('no');"), [
    "if (false) throw new Error('no');",
    "if (a as number <= 1) throw new Error('no');",
  ]);
  assert.deepEqual(mutate('function f() { if (isDone) { stop(); return; } go(); }'), [
    'function f() { if (false) { stop(); return; } go(); }',
  ]);
});

test('a throw outside a branch goes, also the last word of a function', () => {
  assert.deepEqual(mutate("function f(): never { throw new Error('no'); }"), [
    'function f(): never { ; }',
  ]);
});

test('a call that refuses is not made; one that asserts stays', () => {
  assert.deepEqual(mutate('requireEnabled(account); assert(isOpen); go();'), [
    '; assert(isOpen); go();',
  ]);
  assert.deepEqual(mutate('await deps.checkAll(1);'), [';']);
});

test('a condition loses each half and each negation when its parts are asked for', () => {
  const source = 'const isGood = (a || !b) && (c ?? d);';
  assert.deepEqual(mutate(source), []);
  assert.deepEqual(mutate(source, 'conditions'), [
    'const isGood = (a || !b);',
    'const isGood = (c ?? d);',
    'const isGood = ((a)) && (c ?? d);',
    'const isGood = ((!b)) && (c ?? d);',
    'const isGood = (a || (b)) && (c ?? d);',
  ]);
  assert.deepEqual(mutate("if (!isDone) throw new Error('no');", 'conditions'), [
    "if (false) throw new Error('no');",
  ]);
});

test('what is only asked for the sake of types does not go', () => {
  const mutants = (condition: string) => mutate(`const isGood = ${condition};`, 'conditions');
  assert.equal(mutants('at !== undefined && at < now').length, 3);
  assert.equal(mutants('at !== undefined && now - at >= step').length, 3);
  assert.equal(mutants('at !== undefined && now < step').length, 4);
  assert.equal(mutants('at !== undefined || at < now').length, 4);
});

test('what refuses nothing has no mutant', () => {
  assert.deepEqual(mutate('const a: number = b + 1; if (a) go();'), []);
});
