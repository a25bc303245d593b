/** Words that say nothing, and where they may stand all the same. */
import {
  type Finding,
  findInCode,
  isTest,
  lineAt,
  type SourceTree,
  shippedSources,
} from './source-tree.ts';

const BANNED = new Set([
  'manager',
  'managers',
  'helper',
  'helpers',
  'util',
  'utils',
  'common',
  'misc',
  'data',
  'info',
  'handle2',
]);
const ABBREVIATIONS = new Set(['cfg', 'ctx', 'mgr', 'req', 'msg', 'cb', 'idx', 'btn', 'tmp']);
/** Terms of the field that hold such a word: S3's common prefix, our data directory. */
const TERMS = [
  ['common', 'prefix'],
  ['common', 'prefixes'],
  ['data', 'directory'],
  ['data', 'dir'],
];

const DECLARED =
  /\b(?:const|let|var|function\*?|class|type|interface|readonly)\s+(#?[A-Za-z_$][\w$]*)/g;

/** Names of files and of what is declared; strings, comments and what others declare are free. */
export function findBannedWords(tree: SourceTree): readonly Finding[] {
  const findings: Finding[] = [];
  for (const file of tree.sources.values()) {
    const stem =
      file.path
        .split('/')
        .at(-1)
        ?.replace(/(\.test)?\.ts$/, '') ?? '';
    const inPath = bannedWordOf(stem);
    if (inPath !== undefined) {
      findings.push({ path: file.path, line: 1, problem: `its name says "${inPath}"` });
    }
    for (const { match, line } of findInCode(file, DECLARED)) {
      const name = match[1] ?? '';
      const word = bannedWordOf(name);
      if (word === undefined) continue;
      findings.push({ path: file.path, line, problem: `the name ${name} says "${word}"` });
    }
  }
  return findings;
}

function bannedWordOf(name: string): string | undefined {
  const words = wordsOf(name);
  const term = TERMS.find(([one = '', other = '']) => {
    const at = words.indexOf(one);
    return at !== -1 && words[at + 1] === other;
  });
  const rest = words.filter((word) => term === undefined || !term.includes(word));
  if (words.length > 1 && ['service', 'services'].includes(words.at(-1) ?? '')) return 'service';
  return rest.find((word) => BANNED.has(word) || ABBREVIATIONS.has(word));
}

/** `userMetadata`, `DATA_DIR` and `data-directory` in their words, in lower case. */
function wordsOf(name: string): readonly string[] {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z\d]+/)
    .filter((word) => word !== '');
}

/** Marks are NOTE and TODO(issue). */
export function findBadMarks(tree: SourceTree): readonly Finding[] {
  return [...tree.sources.values()].flatMap(({ path, comments }) =>
    [...comments.matchAll(/\b(?:FIXME|XXX|HACK)\b|\bTODO\b(?!\()/g)].map((match) => ({
      path,
      line: lineAt(comments, match.index),
      problem: `${match[0]}: marks are NOTE and TODO(issue)`,
    })),
  );
}

/** A formatter breaks code, but not comments. */
export function findWideComments(tree: SourceTree): readonly Finding[] {
  return [...tree.sources.values()].flatMap(({ path, comments, text }) => {
    const lines = text.split('\n');
    return comments.split('\n').flatMap((comment, index) => {
      const isWide = comment.trimEnd().length > 100 && lines[index] === comment.trimEnd();
      const problem = 'the comment is wider than 100 columns';
      return isWide ? [{ path, line: index + 1, problem }] : [];
    });
  });
}

/** A test says first what it proves. */
export function findSilentTests(tree: SourceTree): readonly Finding[] {
  return [...tree.sources.values()]
    .filter(({ path, text }) => path.endsWith('.test.ts') && !text.startsWith('/**'))
    .map(({ path }) => ({ path, line: 1, problem: 'does not say first what it proves' }));
}

/** What sources and pages cite in docs/ is there. */
export function findDeadCitations(tree: SourceTree): readonly Finding[] {
  const decisions = [...tree.pages.keys()].map(
    (path) => /^docs\/decisions\/(\d{4})/.exec(path)?.[1],
  );
  const texts = [...tree.sources.values()]
    .filter((file) => !isTest(file))
    .map(({ path, comments }) => ({ path, text: comments }));
  return texts.flatMap(({ path, text }) => {
    const pages = [...text.matchAll(/\bdocs\/[\w./-]+\.md\b/g)].filter(
      ([page]) => !tree.pages.has(page),
    );
    const numbers = [...text.matchAll(/\bdecisions? (\d{4})\b/g)].filter(
      ([, number]) => !decisions.includes(number),
    );
    return [...pages, ...numbers].map((match) => ({
      path,
      line: lineAt(text, match.index),
      problem: `cites ${match[0]}, which is not there`,
    }));
  });
}

/** Casts outside tests and outside what makes values of rows, bytes and texts. */
export function findCasts(tree: SourceTree): readonly Finding[] {
  return shippedSources(tree)
    .filter(({ path }) => !PARSER.test(path))
    .flatMap((file) =>
      findInCode(file, /^import\b[^;]*;|\bas\s+(?!const\b)[A-Za-z{([]/gm)
        .filter(({ match }) => !match[0].startsWith('import'))
        .map(({ line }) => ({ path: file.path, line, problem: 'casts' })),
    );
}

const PARSER = /\/(rows|sqlite|postgres|memory)\/|\/(ids|.*-format|.*parse.*|wire)\.ts$/;
