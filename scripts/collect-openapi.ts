/**
 * OpenAPI 3.1 out of the route schemas. The server answers what was committed: it need not carry
 * this.
 */
import swagger from '@fastify/swagger';
import type { OpenApiDocument } from '../src/dialects/health/openapi-routes.ts';
import type { ApiServer } from '../src/server/schema/schema-kit.ts';

export type OpenApiOptions = {
  readonly version: string;
  /** Where the document says that the API is; the server puts its own in. */
  readonly publicUrl: string;
};

/** Collects every route that is registered after it. */
export async function collectOpenApi(server: ApiServer, options: OpenApiOptions): Promise<void> {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Pinfold',
        version: options.version,
        description:
          'Store once; reach it by S3, by HTTP and by IPFS. In a body `null` is read as absent, and no body as `{}`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: options.publicUrl }],
      tags: [
        { name: 'account', description: 'Signing in, sessions and who one is.' },
        { name: 'files', description: 'Files by name.' },
        { name: 'links', description: 'Files for anyone who has the link.' },
        { name: 's3', description: 'Keys and buckets of the S3 gateway.' },
        { name: 'service', description: 'What the server says of itself.' },
      ],
      security: [{ bearer: [] }, { apiKey: [] }, { appKey: [] }, { userAppKey: [] }],
      components: {
        securitySchemes: {
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description: 'An access token, an app key, or an API token.',
          },
          appKey: {
            type: 'apiKey',
            in: 'header',
            name: 'Authorization',
            description: '`ApiKey <user_app_key>`',
          },
          apiKey: {
            type: 'apiKey',
            in: 'header',
            name: 'X-API-Key',
            description: 'An API token or an app key.',
          },
          userAppKey: {
            type: 'apiKey',
            in: 'header',
            name: 'X-User-App-Key',
            description: 'An app key, as older clients send it.',
          },
        },
      },
    },
    transformObject: (input) =>
      'openapiObject' in input ? tidied(input.openapiObject) : input.swaggerObject,
    transform: ({ schema, url, route }) => {
      // Byte routes validate no body, but their document must say that there is one.
      const body =
        route.config?.takesBytes === true
          ? { consumes: ['application/octet-stream'], body: { type: 'string', format: 'binary' } }
          : {};
      const hide = route.config?.isUndocumented === true;
      return { schema: { ...schema, ...body, hide }, url };
    },
  });
}

/** The document of all routes; the server must be ready. */
export function openApiDocument(server: ApiServer): OpenApiDocument {
  return server.swagger() as unknown as OpenApiDocument;
}

/**
 * What the generator cannot say by itself. Schemas that bear a title stand once, under `components`
 * (the shape of errors would otherwise be written out in every response); bytes and base64 text get
 * their own media types; a response without words gets some.
 */
function tidied<T extends object>(document: T): T {
  const schemas: Record<string, unknown> = {};
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item)]));
    if (copy['description'] === 'Default Response') copy['description'] = 'Done.';
    if (isJsonContent(copy['content'])) copy['content'] = contentOf(copy['content']);
    const { title, type } = copy;
    if (typeof title !== 'string' || type !== 'object') return copy;
    schemas[title] = copy;
    return { $ref: `#/components/schemas/${title}` };
  };
  const walked = walk(document) as T & { components?: object };
  return { ...walked, components: { ...walked.components, schemas } };
}

type JsonContent = {
  readonly 'application/json': {
    readonly schema?: { readonly format?: string; readonly contentEncoding?: string };
  };
};

function isJsonContent(content: unknown): content is JsonContent {
  return typeof content === 'object' && content !== null && 'application/json' in content;
}

function contentOf(content: JsonContent): object {
  const { 'application/json': body } = content;
  if (body.schema?.format === 'binary') return { '*/*': body };
  if (body.schema?.contentEncoding === 'base64') return { 'text/plain': body };
  return content;
}
