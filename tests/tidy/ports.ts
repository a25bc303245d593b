/** What crosses the metadata's port is data: it may be kept by another thread (decision 0016). */
import { type Finding, findInCode, isTest, type SourceTree } from './source-tree.ts';

const PORT = /^src\/core\/ports\/metadata\//;

/** Functions that stand in the port's types all the same. The list may only shrink. */
export const KNOWN_FUNCTIONS: readonly {
  readonly path: string;
  /** How its line begins. */
  readonly line: string;
  readonly because: string;
}[] = [
  {
    path: 'src/core/ports/metadata/metadata.ts',
    line: 'readonly run: (tx',
    because: 'a transaction is found by its name on the other side; its function does not cross',
  },
  {
    path: 'src/core/ports/metadata/snapshot.ts',
    line: 'snapshot<T>(work',
    because: 'verify pages through millions of rows, beside the store and not through a thread',
  },
];

/** A function by its type, one by its name, and methods of an object that is no port. */
const FUNCTIONS = [
  /=>/g,
  /\b(?:Function|ByteSource|ByteSink|BlobStore|BlobWriter|BlobReader|Clock|Random|AbortSignal)\b/g,
];
const METHOD = /^[ \t]+(?:readonly )?\w+\??(?:<[^>\n]*>)?\(/gm;
const DECLARATION = /^(?:export )?(?:declare )?(type|interface|class|function|const)\b/gm;

export function findFunctionsInPorts(tree: SourceTree): readonly Finding[] {
  const files = [...tree.sources.values()].filter((file) => PORT.test(file.path) && !isTest(file));
  return files.flatMap((file) => {
    const lines = new Set<number>();
    for (const pattern of FUNCTIONS) {
      for (const { line } of findInCode(file, pattern)) lines.add(line);
    }
    for (const { match, line } of findInCode(file, METHOD)) {
      if (declarationAt(file.code, match.index) === 'type') lines.add(line);
    }
    const texts = file.text.split('\n');
    return [...lines]
      .filter((line) => !isKnown(file.path, texts[line - 1] ?? ''))
      .map((line) => ({ path: file.path, line, problem: 'a function cannot cross the port' }));
  });
}

function declarationAt(code: string, position: number): string | undefined {
  return [...code.slice(0, position).matchAll(DECLARATION)].at(-1)?.[1];
}

function isKnown(path: string, text: string): boolean {
  return KNOWN_FUNCTIONS.some((known) => known.path === path && text.trim().startsWith(known.line));
}
