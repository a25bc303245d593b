/** Lists that stand in two places, and must be the same in both. */
import type { Finding, SourceTree } from './source-tree.ts';

const CONFIGURATION_PAGE = 'docs/configuration.md';
const ERRORS_PAGE = 'docs/errors.md';
const GLOSSARY = 'docs/glossary.md';

/** Words with which the glossary must deal (STYLE, "Names"). */
export const GLOSSARY_TERMS = [
  ['bucket', 'object', 'key', 'version', 'etag', 'checksum', 'part', 'multipart upload', 'prefix'],
  ['delimiter', 'common prefix', 'blob', 'staged blob', 'account', 'principal', 'access key'],
  ['session', 'wallet', 'nonce', 'sign-in message'],
].flat();

/** The type of a table that has a row for every code. */
const EXHAUSTIVE = /(?<!Partial<)(?<!Partial<Readonly<)\bRecord<\s*ErrorCode\b/;

export function findUndocumentedSettings(
  tree: SourceTree,
  names: readonly string[],
): readonly Finding[] {
  const page = tree.pages.get(CONFIGURATION_PAGE) ?? '';
  return names
    .filter((name) => !new RegExp(`\\bPINFOLD_${name}\\b`).test(page))
    .map((name) => ({ path: CONFIGURATION_PAGE, line: 1, problem: `lacks PINFOLD_${name}` }));
}

/** Every code in every dialect's table, on the page of errors, and thrown by somebody. */
export function findUnlistedErrorCodes(
  tree: SourceTree,
  codes: readonly string[],
): readonly Finding[] {
  const tables = [...tree.sources.values()].filter(
    ({ path, code }) => /^src\/(dialects|server)\//.test(path) && EXHAUSTIVE.test(code),
  );
  const texts = [
    ...tables.map(({ path, text }) => ({ path, text })),
    ...[...tree.pages].flatMap(([path, text]) => (path === ERRORS_PAGE ? [{ path, text }] : [])),
  ];
  const findings = texts.flatMap(({ path, text }) =>
    codes
      .filter((code) => !new RegExp(`\\b${code}\\b`).test(text))
      .map((code) => ({ path, line: 1, problem: `lacks the error code ${code}` })),
  );
  if (tables.length === 0) {
    findings.push({
      path: 'src/server',
      line: 1,
      problem: 'no dialect has a table of error codes',
    });
  }
  return findings;
}

/** Codes that no code throws or looks at: a promise to clients that is never kept. */
export function findUnusedErrorCodes(
  tree: SourceTree,
  codes: readonly string[],
): readonly Finding[] {
  const users = [...tree.sources.values()].filter(
    ({ path, code }) =>
      path.startsWith('src/') && path !== 'src/core/errors.ts' && !EXHAUSTIVE.test(code),
  );
  return codes
    .filter((code) => !users.some(({ text }) => text.includes(`'${code}'`)))
    .map((code) => ({
      path: 'src/core/errors.ts',
      line: 1,
      problem: `nothing throws the error code ${code}`,
    }));
}

export function findMissingTerms(tree: SourceTree): readonly Finding[] {
  const glossary = tree.pages.get(GLOSSARY)?.toLowerCase();
  if (glossary === undefined) return [];
  return GLOSSARY_TERMS.filter((term) => !new RegExp(`\\b${term}s?\\b`).test(glossary)).map(
    (term) => ({
      path: GLOSSARY,
      line: 1,
      problem: `does not say what "${term}" means`,
    }),
  );
}
