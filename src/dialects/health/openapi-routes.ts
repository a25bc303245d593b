/** Serves the API's own description. */
import { Type } from 'typebox';
import { ServiceError } from '../../core/errors.ts';
import type { ApiServer } from '../../server/schema/schema-kit.ts';

/** An OpenAPI document as it is served and committed. */
export type OpenApiDocument = Readonly<Record<string, unknown>>;

export type OpenApiDeps = {
  /** The committed documents, in OpenAPI 3.1 and 3.0.3. */
  readonly readDocument: (file: 'openapi.json' | 'openapi-3.0.json') => Promise<OpenApiDocument>;
  readonly publicUrl: () => string;
};

const QuerySchema = Type.Object({
  version: Type.Optional(Type.String({ description: '`3.0` for a document in OpenAPI 3.0.3.' })),
});

export function registerOpenApiRoutes(server: ApiServer, deps: OpenApiDeps): void {
  const documentOf = async (version: string | undefined): Promise<OpenApiDocument> => {
    const isOld = version?.startsWith('3.0') === true;
    if (version === undefined || version.startsWith('3.1') || isOld) {
      const document = await deps.readDocument(isOld ? 'openapi-3.0.json' : 'openapi.json');
      return { ...document, servers: [{ url: deps.publicUrl() }] };
    }
    throw new ServiceError('invalid_field', 'version is 3.0 or 3.1.', {
      details: { field: 'version' },
    });
  };
  server.route({
    method: 'GET',
    url: '/openapi.json',
    config: { access: 'open', isUndocumented: true },
    schema: { querystring: QuerySchema },
    handler: async (request, reply) =>
      reply
        .header('content-type', 'application/json; charset=utf-8')
        .send(JSON.stringify(await documentOf(request.query.version), undefined, 2)),
  });
  server.route({
    method: 'GET',
    url: '/openapi.yaml',
    config: { access: 'open', isUndocumented: true },
    schema: { querystring: QuerySchema },
    handler: async (request, reply) => {
      // Loaded by the first who asks: few do.
      const { stringify } = await import('yaml');
      const document = await documentOf(request.query.version);
      return reply
        .header('content-type', 'application/yaml; charset=utf-8')
        .send(stringify(document, { aliasDuplicateObjects: false }));
    },
  });
}
