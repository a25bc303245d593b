/** What the core does in one transaction is a value with a name, and stands in one list. */
import { type Finding, findInCode, type SourceTree, shippedSources } from './source-tree.ts';

const LIST = 'src/core/transactions.ts';
const DEFINITION = 'src/core/define-transaction.ts';
const CALL = /\bdefineTransaction\(/g;
/** At the top of a module of the core: nothing but `tx` and the input can be in reach. */
const DEFINED = /^export const (\w+) = defineTransaction\(/gm;
const NAME = /\s*'([a-z0-9]+(?:_[a-z0-9]+)*)'/y;

type Defined = {
  readonly constant: string;
  readonly name: string | undefined;
  readonly path: string;
  readonly line: number;
};

export function findUnlistedTransactions(tree: SourceTree): readonly Finding[] {
  const files = shippedSources(tree).filter(({ path }) => path !== DEFINITION);
  const list = tree.sources.get(LIST);
  const listed = new Set((list?.imports ?? []).flatMap(({ names }) => names));
  const findings: Finding[] = [];
  const names = new Map<string, string>();
  for (const file of files) {
    const defined = findInCode(file, DEFINED).map(({ match, line }): Defined => {
      NAME.lastIndex = match.index + match[0].length;
      const name = NAME.exec(file.text)?.[1];
      return { constant: match[1] ?? '', name, path: file.path, line };
    });
    const calls = findInCode(file, CALL);
    if (calls.length > defined.length || (calls.length > 0 && !file.path.startsWith('src/core/'))) {
      const problem = 'a transaction is an exported constant of the core';
      findings.push({ path: file.path, line: calls[0]?.line ?? 1, problem });
      continue;
    }
    for (const { constant, name, path, line } of defined) {
      const add = (problem: string) => findings.push({ path, line, problem });
      if (name === undefined) add(`${constant} has no name in snake case`);
      else if (names.has(name)) add(`${names.get(name)} is named ${name} too`);
      else if (!listed.has(constant)) add(`${constant} is not in ${LIST}`);
      else names.set(name, constant);
    }
  }
  return findings;
}
