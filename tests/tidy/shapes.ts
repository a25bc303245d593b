/** Shapes that STYLE rules out: long files, forbidden calls, inheritance, mutable modules. */
import {
  type Finding,
  findInCode,
  isTest,
  type SourceFile,
  type SourceTree,
} from './source-tree.ts';

const LINES_MAX = 400;
const TEST_LINES_MAX = 600;
/** Pure lists, whose length is that of the thing listed. */
const LISTS: readonly string[] = [];

export function findLongFiles(tree: SourceTree): readonly Finding[] {
  return [...tree.sources.values()].flatMap((file) => {
    const lines = file.text.split('\n').length - 1;
    const max = isTest(file) ? TEST_LINES_MAX : LINES_MAX;
    if (lines <= max || LISTS.includes(file.path)) return [];
    return [{ path: file.path, line: max, problem: `has ${lines} lines; ${max} are the most` }];
  });
}

type Ban = {
  readonly pattern: RegExp;
  readonly problem: string;
  readonly isFree: (file: SourceFile) => boolean;
};

const isOutside = (file: SourceFile) => !file.path.startsWith('src/') || isTest(file);
/** Where the machine's time, timers and chance come in. */
const isSource = ({ path }: SourceFile) =>
  path.startsWith('src/engines/') || path === 'src/jobs/runner.ts' || path === 'src/main.ts';

/** Run as a process or a thread, not imported. */
const PROGRAM = /^src\/main\.ts$|^scripts\/|-thread\.ts$/;

const BANS: readonly Ban[] = [
  {
    pattern: /\bDate\.now\b|\bnew Date\b(?!\s*\(\s*[^\s)])|\bperformance\.now\b/g,
    problem: 'time comes from the clock port',
    isFree: (file) => isOutside(file) || isSource(file),
  },
  {
    pattern: /\b(?:setTimeout|setInterval|setImmediate)\b/g,
    problem: 'timers come from the clock port',
    isFree: (file) => isOutside(file) || isSource(file),
  },
  {
    pattern:
      /\bMath\.random\b|\bcrypto\.(?:random\w+|getRandomValues)\b|\b(?:randomBytes|randomUUID|randomInt|randomFillSync|getRandomValues)\b/g,
    problem: 'chance comes from the random port',
    isFree: (file) => isOutside(file) || isSource(file),
  },
  {
    pattern: /\bMath\.random\b/g,
    problem: 'chance in tests is seeded, so that a failure can be repeated',
    isFree: (file) => !isTest(file),
  },
  {
    pattern: /\bprocess\.env\b/g,
    problem: 'config/env.ts is the one reader of the environment',
    isFree: ({ path }) =>
      path === 'src/config/env.ts' ||
      /^tests\/(world\/|run\/|run\.ts$)|^(scripts|bench)\//.test(path),
  },
  {
    pattern: /\bconsole\s*\./g,
    problem: 'logs go through the injected log, results to the terminal',
    isFree: ({ path }) => path.startsWith('bench/'),
  },
  {
    pattern: /^\s*export\s+default\b/gm,
    problem: 'exports have names',
    isFree: () => false,
  },
  {
    pattern: /^export\s+(?:type\s+)?(?:\*|\{[^}]*\})\s*from\b/gm,
    problem: 'is exported where it is not written: no barrels',
    isFree: () => false,
  },
  {
    pattern: /^(?:export\s+)?let\b/gm,
    problem: 'a module keeps no state',
    isFree: (file) => isTest(file) || PROGRAM.test(file.path),
  },
  {
    pattern: /\bclass\s+\w+(?:<[^{]*>)?\s+extends\s+(?!\w*Error\b)\w+/g,
    problem: 'nothing inherits but errors',
    isFree: isOutside,
  },
];

export function findBannedShapes(tree: SourceTree): readonly Finding[] {
  return [...tree.sources.values()].flatMap((file) => [
    ...(file.path.endsWith('/index.ts')
      ? [{ path: file.path, line: 1, problem: 'no index.ts: a file is named after what it has' }]
      : []),
    ...BANS.filter((ban) => !ban.isFree(file)).flatMap((ban) =>
      findInCode(file, ban.pattern).map(({ line, match }) => ({
        path: file.path,
        line,
        problem: `${match[0].trim()}: ${ban.problem}`,
      })),
    ),
  ]);
}
