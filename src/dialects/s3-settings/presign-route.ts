/** Presigned URLs, for programs that hold no secret. */
import { Type } from 'typebox';
import { ServiceError } from '../../core/errors.ts';
import { presignRequest } from '../../core/identity/s3-keys/presign-request.ts';
import { PRESIGN_LIFE_SECONDS_MAX } from '../../core/limits.ts';
import { principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { S3SettingsDeps } from './deps.ts';

const RequestSchema = Type.Object(
  {
    method: Type.String({ description: 'GET, HEAD, PUT, POST or DELETE.' }),
    bucket: Type.Optional(Type.String({ description: 'The default bucket if none is named.' })),
    key: Type.Optional(Type.String({ description: 'Without one the URL is of the bucket.' })),
    query: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Further parameters, not encoded.',
      }),
    ),
    expires_secs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: PRESIGN_LIFE_SECONDS_MAX,
        description: 'An hour if not given.',
      }),
    ),
    access_key_id: Type.Optional(
      Type.String({ description: 'The newest key without limits if none is named.' }),
    ),
    region: Type.Optional(Type.String()),
    endpoint: Type.Optional(Type.String({ description: 'Another address of the same gateway.' })),
    virtual_hosted: Type.Optional(
      Type.Boolean({ description: 'Must be false: URLs are path-style.' }),
    ),
  },
  { examples: [{ method: 'GET', key: 'notes/hello.txt', expires_secs: 600 }] },
);

const ResponseSchema = Type.Object(
  {
    url: Type.String(),
    method: Type.String(),
    bucket: Type.String(),
    key: Type.Union([Type.String(), Type.Null()]),
    expires_secs: Type.Integer(),
    access_key_id: Type.String(),
    read_only: Type.Boolean({ description: 'Of the key: a URL can do no more than it may.' }),
    region: Type.String(),
  },
  {
    examples: [
      {
        url: 'http://localhost:9000/k4mzq7d2xw5a/notes/hello.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0123',
        method: 'GET',
        bucket: 'k4mzq7d2xw5a',
        key: 'notes/hello.txt',
        expires_secs: 600,
        access_key_id: 'K4MZQ7D2XW5AEXAMPLE2',
        read_only: false,
        region: 'auto',
      },
    ],
  },
);

export function registerPresignRoute(server: ApiServer, deps: S3SettingsDeps): void {
  server.route({
    method: 'POST',
    url: '/api/s3/presign',
    config: { access: 'account' },
    schema: {
      operationId: 'presign',
      tags: ['s3'],
      summary: 'A URL that carries its own signature',
      body: RequestSchema,
      response: { 200: ResponseSchema, ...errorResponses(400, 401, 403, 404, 409, 429) },
    },
    handler: async (request, reply) => {
      const { body } = request;
      if (body.virtual_hosted === true) {
        throw new ServiceError('invalid_field', 'URLs are path-style here.', {
          details: { field: 'virtual_hosted' },
        });
      }
      const made = await presignRequest(
        { ...deps, s3Site: () => deps.s3Site(request.raw) },
        {
          principal: principalOf(request),
          input: {
            method: body.method,
            bucket: body.bucket,
            key: body.key,
            query: body.query,
            expiresSeconds: body.expires_secs,
            accessKeyId: body.access_key_id,
            region: body.region,
            endpoint: body.endpoint,
          },
        },
      );
      // Whoever has the URL may do what it says.
      reply.header('cache-control', 'no-store');
      return {
        url: made.url,
        method: made.method,
        bucket: made.bucket,
        key: made.key ?? null,
        expires_secs: made.expiresSeconds,
        access_key_id: made.accessKey.accessKeyId,
        read_only: made.accessKey.isReadOnly,
        region: made.region,
      };
    },
  });
}
