/** The files that the rules look at, with what they import and export. */
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { readSourceText, type SourceText } from './source-text.ts';

export type Import = {
  /** As written. */
  readonly specifier: string;
  /** From the root, for a file of the project; `undefined` for a package. */
  readonly target: string | undefined;
  readonly isTypeOnly: boolean;
  /** The imported names; `*` stands for all of them. */
  readonly names: readonly string[];
  readonly line: number;
};

export type Export = {
  readonly name: string;
  /** A type or an interface. */
  readonly isType: boolean;
  readonly line: number;
};

export type SourceFile = SourceText & {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
  readonly exports: readonly Export[];
};

export type SourceTree = {
  readonly sources: ReadonlyMap<string, SourceFile>;
  /** Texts of the pages in docs/, by path. */
  readonly pages: ReadonlyMap<string, string>;
};

export type Finding = { readonly path: string; readonly line: number; readonly problem: string };

export function readTree(root: string): SourceTree {
  const sources = globSync(['src/**/*.ts', 'tests/**/*.ts', 'scripts/*.ts', 'bench/**/*.ts'], {
    cwd: root,
  });
  const pages = globSync(['docs/**/*.md', '*.md'], { cwd: root });
  const texts = [...sources, ...pages].map(
    (path) => [path, readFileSync(join(root, path), 'utf8')] as const,
  );
  return treeOf(Object.fromEntries(texts));
}

/** A tree of texts by path. */
export function treeOf(texts: Readonly<Record<string, string>>): SourceTree {
  const paths = Object.keys(texts).sort();
  const isSource = (path: string) => path.endsWith('.ts');
  return {
    sources: new Map(
      paths.filter(isSource).map((path) => [path, readSource(path, texts[path] ?? '')]),
    ),
    pages: new Map(
      paths.filter((path) => !isSource(path)).map((path) => [path, texts[path] ?? '']),
    ),
  };
}

export function isTest({ path }: Pick<SourceFile, 'path'>): boolean {
  return (
    path.startsWith('tests/') ||
    path.startsWith('bench/') ||
    path.endsWith('.test.ts') ||
    path.endsWith('-contract.ts') ||
    path.includes('/contract/')
  );
}

/** The files of `src` that are shipped and run. */
export function shippedSources(tree: SourceTree): readonly SourceFile[] {
  return [...tree.sources.values()].filter((file) => file.path.startsWith('src/') && !isTest(file));
}

export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

/** Every match of `pattern` (with the flag `g`) in the code of `file`. */
export function findInCode(
  file: SourceFile,
  pattern: RegExp,
): readonly { readonly match: RegExpExecArray; readonly line: number }[] {
  return [...file.code.matchAll(pattern)].map((match) => ({
    match,
    line: lineAt(file.code, match.index),
  }));
}

function readSource(path: string, text: string): SourceFile {
  const { code, comments } = readSourceText(text);
  return {
    path,
    text,
    code,
    comments,
    imports: readImports(path, { text, code }),
    exports: readExports(code),
  };
}

const IMPORT = /^(?:import|export)\b(\s+type\b)?([^;'"=()]*?)\bfrom\b|^import(?= {3})/gm;
/** Threads are started by the URL of their file. */
const DYNAMIC_IMPORT = /\bimport\s*\(|\bnew URL\s*\(/g;
const QUOTED = /['"`]([^'"`\n]+)['"`]/y;

function readImports(
  path: string,
  { text, code }: { readonly text: string; readonly code: string },
): readonly Import[] {
  const imports: Import[] = [];
  const add = (end: number, found: Pick<Import, 'isTypeOnly' | 'names'>) => {
    QUOTED.lastIndex = end + (/^\s*/.exec(text.slice(end))?.[0].length ?? 0);
    const specifier = QUOTED.exec(text)?.[1];
    if (specifier === undefined) return;
    const target = specifier.startsWith('.')
      ? posix.join(posix.dirname(path), specifier)
      : undefined;
    imports.push({ ...found, specifier, target, line: lineAt(text, end) });
  };
  for (const match of code.matchAll(IMPORT)) {
    const clause = match[2] ?? '';
    const names = namesIn(clause);
    const isTypeOnly = match[1] !== undefined || (names.length > 0 && isAllTypes(clause));
    add(match.index + match[0].length, { isTypeOnly, names });
  }
  for (const match of code.matchAll(DYNAMIC_IMPORT)) {
    if (
      match[0].startsWith('new') &&
      !/^\s*'[^']+\.ts'/.test(text.slice(match.index + match[0].length))
    )
      continue;
    add(match.index + match[0].length, { isTypeOnly: false, names: ['*'] });
  }
  return imports;
}

function namesIn(clause: string): readonly string[] {
  if (clause.includes('*')) return ['*'];
  const braced = /\{([\s\S]*)\}/.exec(clause)?.[1] ?? '';
  const names = braced
    .split(',')
    .map(
      (name) =>
        name
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)[0] ?? '',
    )
    .filter((name) => name !== '');
  const isDefault = /^\s*\w/.test(clause);
  return isDefault ? ['default', ...names] : names;
}

function isAllTypes(clause: string): boolean {
  const names = /\{([\s\S]*)\}/.exec(clause)?.[1]?.split(',') ?? ['a default'];
  return names.every((name) => name.trim() === '' || name.trim().startsWith('type '));
}

const DECLARED_EXPORT =
  /^export\s+(?:declare\s+|abstract\s+|async\s+)*(const|let|function\*?|class|type|interface|enum|default)\s+(\w+)?/gm;
const LISTED_EXPORT = /^export\s+(?:type\s+)?\{([^}]*)\}/gm;

function readExports(code: string): readonly Export[] {
  const exports: Export[] = [];
  for (const match of code.matchAll(DECLARED_EXPORT)) {
    const isType = match[1] === 'type' || match[1] === 'interface';
    exports.push({ name: match[2] ?? 'default', isType, line: lineAt(code, match.index) });
  }
  for (const match of code.matchAll(LISTED_EXPORT)) {
    for (const part of (match[1] ?? '').split(',')) {
      const name =
        part
          .trim()
          .replace(/^type\s+/, '')
          .split(/\s+as\s+/)
          .at(-1) ?? '';
      const isType = /^export\s+type/.test(match[0]);
      if (name !== '') exports.push({ name, isType, line: lineAt(code, match.index) });
    }
  }
  return exports;
}
