/** Serves the API's own description. */
import { Type } from 'typebox';
import { stringify } from 'yaml';
import { ServiceError } from '../../core/errors.ts';
import { type OpenApiDocument, openApiDocument } from '../../server/openapi.ts';
import type { ApiServer } from '../../server/schema-kit.ts';

export type OpenApiDeps = {
  /** The document for readers of OpenAPI 3.0.3, made when the project is built. */
  readonly readOldDocument: () => Promise<OpenApiDocument>;
};

const QuerySchema = Type.Object({
  version: Type.Optional(Type.String({ description: '`3.0` for a document in OpenAPI 3.0.3.' })),
});

export function registerOpenApiRoutes(server: ApiServer, deps: OpenApiDeps): void {
  const documentOf = async (version: string | undefined): Promise<OpenApiDocument> => {
    if (version === undefined || version.startsWith('3.1')) return openApiDocument(server);
    if (version.startsWith('3.0')) return await deps.readOldDocument();
    throw new ServiceError('invalid_field', 'version is 3.0 or 3.1.', {
      details: { field: 'version' },
    });
  };
  server.route({
    method: 'GET',
    url: '/openapi.json',
    config: { access: 'open' },
    schema: { hide: true, querystring: QuerySchema },
    handler: async (request, reply) =>
      reply
        .header('content-type', 'application/json; charset=utf-8')
        .send(JSON.stringify(await documentOf(request.query.version), undefined, 2)),
  });
  server.route({
    method: 'GET',
    url: '/openapi.yaml',
    config: { access: 'open' },
    schema: { hide: true, querystring: QuerySchema },
    handler: async (request, reply) =>
      reply
        .header('content-type', 'application/yaml; charset=utf-8')
        .send(stringify(await documentOf(request.query.version), { aliasDuplicateObjects: false })),
  });
}
