/** The mutants of a source: each takes one refusal away, or moves one comparison. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { type Expression, type Node, parse } from 'acorn';

export type Mutant = {
  /** From the root. */
  readonly path: string;
  readonly line: number;
  readonly what: string;
  /** The source's own text from `start` to `end` gives way to `text`. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
};

/** What a call is named that refuses; `assert` is not among them: it never fires. */
const REFUSING = /^(?:require|check|verify|refuse|authorize|demand|judge|admit)[A-Z_]?/;

const MOVED: Readonly<Record<string, string>> = {
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '===': '!==',
  '!==': '===',
};

/**
 * `refusals`: throws, checks and comparisons. `conditions`: what these are joined of as well, each
 * half of an `and` or `or` and each negation.
 */
export type Depth = 'refusals' | 'conditions';

export function findMutants(root: string, path: string, depth: Depth): readonly Mutant[] {
  return mutantsOf(path, readFileSync(join(root, path), 'utf8'), depth);
}

export function mutantsOf(path: string, source: string, depth: Depth): readonly Mutant[] {
  // Types give way to spaces, so that places are the source's own.
  const stripped = stripTypeScriptTypes(source, { mode: 'strip' });
  const tree = parse(stripped, { ecmaVersion: 'latest', sourceType: 'module' });
  const mutants: Mutant[] = [];
  const add = (node: Pick<Node, 'start' | 'end'>, text: string, what: string) => {
    const line = source.slice(0, node.start).split('\n').length;
    mutants.push({ path, line, what, start: node.start, end: node.end, text });
  };
  const branches = new WeakSet<Node>();
  walk(tree, undefined, (node, parent) => {
    if (is(node, 'IfStatement')) branches.add((node as Node & { consequent: Node }).consequent);
    const isInBranch = branches.has(node) || (parent !== undefined && branches.has(parent));
    mutate({ node, isInBranch, stripped }, add);
    if (depth === 'conditions') mutateCondition({ node, parent, source }, add);
  });
  return mutants;
}

type Seen = {
  readonly node: Node;
  /** Whether it stands in the branch of an `if`, and so goes with the check. */
  readonly isInBranch: boolean;
  readonly stripped: string;
};
type Add = (node: Pick<Node, 'start' | 'end'>, text: string, what: string) => void;

function mutate({ node, isInBranch, stripped }: Seen, add: Add): void {
  if (is(node, 'IfStatement')) {
    const { test, consequent } = node as Node & { test: Expression; consequent: Node };
    if (leaves(consequent)) add(test, 'false', 'a check is never true');
    return;
  }
  if (is(node, 'ThrowStatement')) {
    if (!isInBranch) add(node, ';', 'a throw is gone');
    return;
  }
  if (is(node, 'ExpressionStatement')) {
    const { expression } = node as Node & { expression: Expression };
    const call = is(expression, 'AwaitExpression')
      ? (expression as unknown as { argument: Expression }).argument
      : expression;
    if (REFUSING.test(calleeOf(call))) add(node, ';', `${calleeOf(call)} is not called`);
    return;
  }
  if (is(node, 'BinaryExpression')) {
    const { operator, left, right } = node as Node & {
      operator: string;
      left: Node;
      right: Node;
    };
    const moved = MOVED[operator];
    if (moved === undefined) return;
    const at = left.end + stripped.slice(left.end, right.start).indexOf(operator);
    add({ start: at, end: at + operator.length }, moved, `${operator} becomes ${moved}`);
  }
}

function mutateCondition(
  seen: { readonly node: Node; readonly parent: Node | undefined; readonly source: string },
  add: Add,
): void {
  const { node, parent, source } = seen;
  const textOf = ({ start, end }: Node) => `(${source.slice(start, end)})`;
  if (is(node, 'LogicalExpression')) {
    const { operator, left, right } = node as Node & {
      operator: string;
      left: Node;
      right: Node;
    };
    if (operator === '??') return;
    add(node, textOf(left), `the right of ${operator} is gone`);
    if (operator === '&&' && isPresence(source, left, right)) return;
    add(node, textOf(right), `the left of ${operator} is gone`);
  }
  if (is(node, 'UnaryExpression')) {
    const { operator, argument } = node as Node & { operator: string; argument: Node };
    // A check that is one negation goes as a whole.
    const isCheck = parent !== undefined && is(parent, 'IfStatement');
    if (operator === '!' && !isCheck) add(node, textOf(argument), 'a negation is gone');
  }
}

/** As `a !== undefined && a < b`: nothing is neither less nor more, so the left is for types. */
function isPresence(source: string, left: Node, right: Node): boolean {
  if (!is(left, 'BinaryExpression') || !is(right, 'BinaryExpression')) return false;
  const { operator } = right as Node & { operator: string };
  const [asked = '', nothing] = source.slice(left.start, left.end).split(' !== ');
  const isAbout = source.slice(right.start, right.end).includes(asked);
  return nothing === 'undefined' && isAbout && /^[<>]=?$/.test(operator);
}

/** Whether a branch ends what it stands in: by a refusal or an answer. */
function leaves(node: Node): boolean {
  if (is(node, 'ThrowStatement') || is(node, 'ReturnStatement')) return true;
  if (!is(node, 'BlockStatement')) return false;
  const last = (node as Node & { body: readonly Node[] }).body.at(-1);
  return last !== undefined && leaves(last);
}

function calleeOf(node: Node): string {
  if (!is(node, 'CallExpression')) return '';
  const { callee } = node as Node & { callee: Node };
  if (is(callee, 'Identifier')) return (callee as Node & { name: string }).name;
  if (!is(callee, 'MemberExpression')) return '';
  return (callee as Node & { property: { name?: string } }).property.name ?? '';
}

function is(node: Node, type: string): boolean {
  return node.type === type;
}

type Visit = (node: Node, parent: Node | undefined) => void;

function walk(node: Node, parent: Node | undefined, visit: Visit): void {
  visit(node, parent);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) walk(child, node, visit);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}
