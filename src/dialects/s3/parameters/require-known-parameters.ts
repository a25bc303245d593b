/** Refuses a request that asks for more than its operation does, before anything is changed. */
import { type OperationName, SUBRESOURCES } from '../operations/operation-table.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { ANYWHERE } from './header-groups.ts';
import type { ParameterRules, RefusedParameter } from './parameter-rules.ts';
import { PARAMETERS } from './parameter-table.ts';

type Known = {
  /** Headers of S3's own that may come. */
  readonly headers: ReadonlySet<string>;
  /** Headers of HTTP's own that may not. */
  readonly refusedHeaders: readonly string[];
  readonly query: ReadonlySet<string>;
};

/**
 * Throws `NotImplemented` for a header or query parameter that the operation neither honours nor
 * may ignore, or the code that its table has for it. Elements of documents come later.
 */
export function requireKnownParameters(
  operation: OperationName,
  { headers, query }: Pick<RequestHead, 'headers' | 'query'>,
): void {
  const known = KNOWN.get(operation);
  if (known === undefined) return;
  for (const name in headers) {
    if (name.startsWith('x-amz-') && !known.headers.has(name) && !isAnywhere(name)) {
      throw refusalOf(operation, 'headers', name, headers[name] ?? '');
    }
  }
  for (const name of known.refusedHeaders) {
    const value = headers[name];
    if (value !== undefined) throw refusalOf(operation, 'headers', name, value);
  }
  for (const [name, value] of query) {
    if (!known.query.has(name)) refuseParameter(operation, name, value);
  }
}

function refuseParameter(operation: OperationName, name: string, value: string): void {
  if (name.startsWith('response-') && !S3_QUERY.has(name)) {
    throw invalidArgument(`${name} is not a header that can be overridden.`, name, value);
  }
  const refused = rulesOf(operation)?.query.refused ?? {};
  // Without a value the others ask for nothing, as `marker=` does.
  if (Object.hasOwn(refused, name) || (value !== '' && S3_QUERY.has(name))) {
    throw refusalOf(operation, 'query', name, value);
  }
}

function isAnywhere(name: string): boolean {
  return ANYWHERE.prefixes.some((prefix) => name.startsWith(prefix));
}

function refusalOf(
  operation: OperationName,
  place: 'headers' | 'query',
  name: string,
  value: string,
): S3Refusal {
  const rules = rulesOf(operation)?.[place];
  const rule = rules === undefined ? undefined : ruleOf(rules, name);
  if (rule === undefined || rule.code === 'NotImplemented') {
    const why = rule === undefined ? '' : `: ${rule.reason}`;
    return new S3Refusal('NotImplemented', `${operation} does not take ${name}${why}.`, {
      Header: name,
    });
  }
  if (rule.code === 'AccessControlListNotSupported') return new S3Refusal(rule.code);
  return new S3Refusal(rule.code, rule.reason, { ArgumentName: name, ArgumentValue: value });
}

function ruleOf({ refused }: ParameterRules, name: string): RefusedParameter | undefined {
  return Object.hasOwn(refused, name) ? refused[name] : undefined;
}

function rulesOf(operation: OperationName) {
  return Object.entries(PARAMETERS).find(([name]) => name === operation)?.[1];
}

const KNOWN: ReadonlyMap<string, Known> = new Map(
  Object.entries(PARAMETERS).map(([operation, { headers, query }]) => [
    operation,
    {
      headers: new Set([
        ...ANYWHERE.honoured,
        ...ANYWHERE.harmless,
        ...headers.honoured,
        ...headers.harmless,
      ]),
      refusedHeaders: Object.keys(headers.refused).filter((name) => !name.startsWith('x-amz-')),
      query: new Set([...query.honoured, ...query.harmless]),
    },
  ]),
);

/**
 * Names that mean something to some operation; others are the client's own and mean nothing. What
 * selects an operation is not among them: `detectOperation` has read it.
 */
const S3_QUERY: ReadonlySet<string> = new Set(
  Object.values(PARAMETERS)
    .flatMap(({ query }) => [...query.honoured, ...query.harmless, ...Object.keys(query.refused)])
    .filter((name) => !SUBRESOURCES.includes(name)),
);
