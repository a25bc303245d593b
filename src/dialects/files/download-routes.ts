/** An owner's own downloads: raw bytes, or base64 text. */
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { parseStoredName } from '../../core/files/file-name.ts';
import { authorize } from '../../core/identity/access/authorize.ts';
import { credentialLabel } from '../../core/principal.ts';
import { principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { FilesDeps } from './deps.ts';
import { type FileAnswer, sendFile } from './send-file.ts';
import { FileNameSchema, type RouteAddress } from './wire.ts';

/** One call under the addresses that published clients know it by. */
const TEXT_ADDRESSES = { download: '/download', priorityDownload: '/priorityDownload' } as const;

const DownloadQuerySchema = Type.Object({ file_name: FileNameSchema });

export function registerDownloadRoutes(server: ApiServer, deps: FilesDeps): void {
  server.route({
    method: 'GET',
    url: '/download-stream',
    config: { access: 'account' },
    schema: {
      operationId: 'downloadStream',
      tags: ['files'],
      summary: 'The raw bytes of a file',
      description: 'Takes `Range`, `If-Match`, `If-None-Match` and their dates; answers HEAD.',
      querystring: DownloadQuerySchema,
      response: {
        200: bytesSchema('The whole file.'),
        206: bytesSchema('The part that `Range` names.'),
        304: Type.Null({ description: 'The copy at hand is still good.' }),
        ...errorResponses(400, 401, 403, 404, 412, 416, 429),
      },
    },
    handler: async (request, reply) => {
      await sendFile(deps, request, reply, ownFile(deps, request, request.query.file_name));
      return reply;
    },
  });
  for (const [operationId, url] of Object.entries(TEXT_ADDRESSES)) {
    registerTextDownload(server, deps, { operationId, url });
  }
}

function registerTextDownload(
  server: ApiServer,
  deps: FilesDeps,
  { operationId, url }: RouteAddress,
): void {
  server.route({
    method: 'GET',
    url,
    config: { access: 'account' },
    schema: {
      operationId,
      tags: ['files'],
      summary: 'The bytes of a file as base64 text',
      querystring: DownloadQuerySchema,
      response: {
        200: Type.String({
          description: 'Base64, with padding.',
          contentEncoding: 'base64',
          examples: ['aGVsbG8='],
        }),
        ...errorResponses(400, 401, 403, 404, 412, 429),
      },
    },
    handler: async (request, reply) => {
      await sendFile(deps, request, reply, {
        ...ownFile(deps, request, request.query.file_name),
        encoding: 'base64',
      });
      return reply;
    },
  });
}

/** The schema of a byte answer. */
export function bytesSchema(description: string) {
  return Type.String({ description, format: 'binary', examples: ['hello'] });
}

function ownFile(deps: FilesDeps, request: FastifyRequest, name: string): FileAnswer {
  const principal = principalOf(request);
  authorize(principal, 'files.read');
  const key = parseStoredName(name);
  const { accountId, defaultBucketId: bucketId } = principal;
  return {
    find: () => deps.metadata.findObject(bucketId, key),
    encoding: 'raw',
    caching: { kind: 'owner' },
    payer: {
      accountId,
      bucketId,
      source: 'files',
      credential: credentialLabel(principal),
      link: undefined,
    },
  };
}
