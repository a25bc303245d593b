/** Proves that every refusal of a source has a mutant, which is still TypeScript where it was. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { mutantsOf } from './find-mutants.ts';

function mutate(source: string): readonly string[] {
  return mutantsOf('a.ts', source).map(
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

test('what refuses nothing has no mutant', () => {
  assert.deepEqual(mutate('const a: number = b + 1; if (a) go();'), []);
});
