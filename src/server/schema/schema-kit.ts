/** Route schemas: what validates requests is what generates OpenAPI. */
import { strict as assert } from 'node:assert';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifySchemaCompiler,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import { type TSchema, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { ServiceError } from '../../core/errors.ts';
import { assertWellFormedQuery } from './raw-query.ts';

/** The shell that REST dialects hang their routes on. */
export type ApiServer = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/**
 * Compiles a schema into a check. A body is taken as it is (a wrong type is refused), an absent one
 * as `{}`, and `null` as absent where its schema does not take null; query and path hold text only,
 * so numbers are read out of it. Unknown fields stay unread.
 */
export const compileSchema: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  let compiled: ReturnType<typeof Compile> | undefined;
  return (value: unknown) => {
    // With the first request: most routes of most servers are never called.
    compiled ??= Compile(schema);
    const check = compiled;
    const isBody = httpPart === 'body';
    if (!isBody && typeof value === 'object' && value !== null) assertWellFormedQuery(value);
    const candidate = isBody ? withoutNulls(schema, value ?? {}) : readTexts(schema, value);
    if (check.Check(candidate)) return { value: candidate };
    return { error: fieldError(check.Errors(candidate)) };
  };
};

const noCompiler = (): never => assert.fail('a listener has compilers of its own');

/** For a listener's options: without them Fastify loads its own two compilers, with 6 MiB. */
export const NO_COMPILERS = {
  compilersFactory: { buildValidator: () => noCompiler, buildSerializer: () => noCompiler },
};

/** Schemas of answers only document: a serializer of each took 20 MiB and half a second. */
export function setCompilers(server: ApiServer): void {
  server.setValidatorCompiler(compileSchema);
  server.setSerializerCompiler(() => (value) => JSON.stringify(value));
}

/** Published clients write `null` for what they do not set (files-api.md, end of "S3 keys"). */
function withoutNulls(schema: TSchema, value: unknown): unknown {
  const isFields = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isFields || !('properties' in schema)) return value;
  const properties = schema.properties as Readonly<Record<string, TSchema>>;
  const fields = Object.entries(value).flatMap(([name, field]) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property === undefined) return [[name, field] as const];
    if (field === null && !takesNull(property)) return [];
    return [[name, withoutNulls(property, field)] as const];
  });
  return Object.fromEntries(fields);
}

function takesNull(schema: TSchema): boolean {
  if ('type' in schema) return schema.type === 'null';
  return 'anyOf' in schema && (schema.anyOf as readonly TSchema[]).some(takesNull);
}

/** Reads numbers and booleans out of texts, as strictly as JSON would; the rest stays text. */
function readTexts(schema: TSchema, value: unknown): unknown {
  const properties = 'properties' in schema ? (schema.properties as object) : {};
  const texts = value as Readonly<Record<string, unknown>>;
  const read: Record<string, unknown> = { ...texts };
  for (const [name, property] of Object.entries(properties)) {
    const text = texts[name];
    if (typeof text === 'string') read[name] = readText(property, text);
  }
  return read;
}

function readText(schema: object, text: string): unknown {
  const type = 'type' in schema ? schema.type : undefined;
  if (type === 'integer' && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (type === 'boolean' && ['true', '1'].includes(text)) return true;
  if (type === 'boolean' && ['false', '0'].includes(text)) return false;
  return text;
}

type SchemaFault = {
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
};

function fieldError(faults: readonly SchemaFault[]): ServiceError {
  const [fault] = faults;
  const missing =
    fault !== undefined && 'requiredProperties' in fault.params
      ? (fault.params.requiredProperties as readonly string[])[0]
      : undefined;
  const path = fault?.instancePath.slice(1).replaceAll('/', '.') ?? '';
  const field =
    missing === undefined ? path : [path, missing].filter((part) => part !== '').join('.');
  const allowed = faults
    .filter(({ instancePath }) => instancePath === fault?.instancePath)
    .flatMap(({ params }) => allowedBy(params));
  const problem =
    missing !== undefined
      ? 'is required'
      : allowed.length > 0
        ? `must be one of: ${allowed.join(', ')}`
        : (fault?.message ?? 'is not valid');
  const name = field === '' ? 'the body' : field;
  return new ServiceError('invalid_field', `${name} ${problem}.`, { details: { field: name } });
}

/** The values of an enumeration, or of one branch of a union of constants. */
function allowedBy(params: object): readonly string[] {
  if ('allowedValues' in params && Array.isArray(params.allowedValues)) {
    return params.allowedValues.map(String);
  }
  return 'allowedValue' in params ? [String(params.allowedValue)] : [];
}

const ErrorSchema = Type.Object(
  {
    error: Type.String({ description: 'Reason phrase of the status.' }),
    message: Type.String({ description: 'For people.' }),
    code: Type.String({ description: 'Stable, for programs.' }),
    requestId: Type.String({ description: 'Names this request in the logs.' }),
  },
  {
    title: 'Error',
    additionalProperties: true,
    description: 'The one shape of every error; some add fields of their own.',
    examples: [
      {
        error: 'Not Found',
        message: 'There is no such object.',
        code: 'not_found',
        requestId: '54E5108DE42A9787',
      },
    ],
  },
);

const ERROR_WORDS: Readonly<Record<number, string>> = {
  400: 'The request is malformed; `field` names what is.',
  401: 'No credential was sent, or none of those sent is valid.',
  402: 'The quota is used up.',
  403: 'The credential or account may not do this.',
  404: 'There is no such thing, or not for this account.',
  409: 'What stands already is in the way.',
  410: 'It has ended.',
  412: 'A condition did not hold.',
  413: 'The body is too large.',
  416: 'The range lies outside the bytes.',
  429: 'Too many requests; `Retry-After` says when to come back.',
  503: 'A dependency is out of reach.',
  507: 'The storage is full.',
};

/** Error responses of an operation, by status; 500 stands for every operation. */
export function errorResponses(...statuses: readonly (keyof typeof ERROR_WORDS & number)[]) {
  const responses: Record<number, TSchema> = {};
  for (const status of [...statuses, 500]) {
    responses[status] = {
      ...ErrorSchema,
      'x-response-description': ERROR_WORDS[status] ?? 'Something failed on our side.',
    };
  }
  return responses;
}
