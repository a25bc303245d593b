/** What shows when all files are seen together: cycles, dead files, exports that nobody uses. */
import {
  type Finding,
  isTest,
  type SourceFile,
  type SourceTree,
  shippedSources,
} from './source-tree.ts';

/** Started by name, not imported. */
const ENTRIES = ['src/main.ts'];
/** The engines in memory are the fakes of the tests: an import by a test keeps them alive. */
const FAKE = /\/memory(-|\/)/;

/** A thread loads its modules anew, so that it may name the file that starts it. */
const THREAD = /-thread\.ts$/;

/** Says what a package has: for the compiler alone. */
const DECLARATION = /\.d\.ts$/;

/** Each circle once. Types count where code is shipped: it is one thought in several files. */
export function findCycles(tree: SourceTree): readonly Finding[] {
  const findings: Finding[] = [];
  const states = new Map<string, 'open' | 'done'>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (states.get(path) === 'done') return;
    if (states.get(path) === 'open') {
      const circle = trail.slice(trail.indexOf(path));
      findings.push({ path, line: 1, problem: `imports itself: ${[...circle, path].join(' → ')}` });
      return;
    }
    states.set(path, 'open');
    for (const target of circleTargetsOf(tree.sources.get(path))) visit(target, [...trail, path]);
    states.set(path, 'done');
  };
  for (const path of tree.sources.keys()) visit(path, []);
  return findings;
}

export function findDeadFiles(tree: SourceTree): readonly Finding[] {
  const imported = new Set<string>();
  for (const file of tree.sources.values()) {
    for (const target of targetsOf(file)) {
      if (!isTest(file) || FAKE.test(target)) imported.add(target);
    }
  }
  return shippedSources(tree)
    .filter(({ path }) => !imported.has(path) && !ENTRIES.includes(path) && !DECLARATION.test(path))
    .map(({ path }) => ({ path, line: 1, problem: 'is imported by nothing that runs' }));
}

/** Values that no other file imports; tests count as users. Types also document a function. */
export function findUnusedExports(tree: SourceTree): readonly Finding[] {
  const used = new Map<string, Set<string>>();
  for (const file of tree.sources.values()) {
    for (const { target, names } of file.imports) {
      if (target === undefined) continue;
      const known = used.get(target) ?? new Set();
      for (const name of names) known.add(name);
      used.set(target, known);
    }
  }
  return shippedSources(tree).flatMap(({ path, exports }) => {
    const names = used.get(path) ?? new Set();
    return exports
      .filter(({ name, isType }) => !isType && !names.has(name) && !names.has('*'))
      .map(({ name, line }) => ({ path, line, problem: `nothing imports ${name}` }));
  });
}

function circleTargetsOf(file: SourceFile | undefined): readonly string[] {
  if (file === undefined) return [];
  const counted = file.imports.filter(({ isTypeOnly }) => !(isTypeOnly && isTest(file)));
  return targetsOf({ ...file, imports: counted }).filter((target) => !THREAD.test(target));
}

function targetsOf(file: SourceFile | undefined): readonly string[] {
  return (file?.imports ?? []).flatMap(({ target }) => (target === undefined ? [] : [target]));
}
