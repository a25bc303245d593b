/** Query strings as they came: decoded once, bytes checked, nothing guessed. */
import { ServiceError } from '../../core/errors.ts';

/** Where a query keeps what is wrong with it: routers parse where nothing can be thrown. */
const FAULT = Symbol('fault');

/** Parameters by name. */
export type RawQuery = Readonly<Record<string, string>>;

/** Parses a query without its `?`: `+` is a space, percent-escapes are UTF-8. Never throws. */
export function parseQuery(text: string): RawQuery {
  const query: Record<string | symbol, unknown> = Object.create(null);
  const blame = (field: string, problem: string) =>
    Object.defineProperty(query, FAULT, { value: queryFault(field, problem), configurable: true });
  for (const field of text.split('&')) {
    if (field === '') continue;
    const at = field.indexOf('=');
    const name = decodeField(at < 0 ? field : field.slice(0, at));
    const value = decodeField(at < 0 ? '' : field.slice(at + 1));
    if (name === undefined || value === undefined) {
      blame(name ?? 'query', 'is not percent-encoded UTF-8.');
    } else if (name in query) {
      blame(name, 'is given more than once.');
    } else {
      query[name] = value;
    }
  }
  return query as RawQuery;
}

/** Throws `invalid_field` when the query was malformed. */
export function assertWellFormedQuery(query: object): void {
  const fault = FAULT in query ? query[FAULT] : undefined;
  if (fault !== undefined) throw fault;
}

/** Decodes one name or value; `undefined` when it is malformed. */
function decodeField(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function queryFault(field: string, problem: string): ServiceError {
  return new ServiceError('invalid_field', `The parameter ${field} ${problem}`, {
    details: { field },
  });
}
