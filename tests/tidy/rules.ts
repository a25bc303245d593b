/** Every rule by name, and the lists from elsewhere that some compare with. */
import { findWrongArrows } from './arrows.ts';
import { findCycles, findDeadFiles, findUnusedExports } from './import-graph.ts';
import { findFunctionsInPorts } from './ports.ts';
import {
  findMissingTerms,
  findUndocumentedSettings,
  findUnlistedErrorCodes,
  findUnusedErrorCodes,
} from './registers.ts';
import { findBannedShapes, findLongFiles } from './shapes.ts';
import type { Finding, SourceTree } from './source-tree.ts';
import { findUnlistedTransactions } from './transactions.ts';
import {
  findBadMarks,
  findBannedWords,
  findCasts,
  findDeadCitations,
  findSilentTests,
  findWideComments,
} from './words.ts';

/** What the tree is compared with; the real lists are those of the program itself. */
export type Registers = {
  readonly settings: readonly string[];
  readonly errorCodes: readonly string[];
};

export const RULES = {
  'imports follow the arrows': findWrongArrows,
  'no file imports itself by way of others': findCycles,
  'no file is dead': findDeadFiles,
  'what is exported is imported': findUnusedExports,
  'files are short': findLongFiles,
  'forbidden calls and shapes stay out': findBannedShapes,
  'names say something': findBannedWords,
  'marks are NOTE and TODO with an issue': findBadMarks,
  'comments keep to the page': findWideComments,
  'tests say first what they prove': findSilentTests,
  'what is cited is there': findDeadCitations,
  'casts only become fewer': findCasts,
  'every setting is documented': (tree, { settings }) => findUndocumentedSettings(tree, settings),
  'every error code is in every table': (tree, { errorCodes }) =>
    findUnlistedErrorCodes(tree, errorCodes),
  'every error code is used': (tree, { errorCodes }) => findUnusedErrorCodes(tree, errorCodes),
  'every transaction has a name and stands in the list': findUnlistedTransactions,
  'no function crosses the port of the metadata': findFunctionsInPorts,
  'the glossary has the terms': findMissingTerms,
} as const satisfies Readonly<
  Record<string, (tree: SourceTree, registers: Registers) => readonly Finding[]>
>;

export type RuleName = keyof typeof RULES;
