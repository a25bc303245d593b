/** Uploading, and asking how an upload went. */
import type { IncomingHttpHeaders } from 'node:http';
import { Type } from 'typebox';
import { ServiceError } from '../../core/errors.ts';
import type { UploadOperation } from '../../core/files/operation.ts';
import { uploadFile } from '../../core/files/upload-file.ts';
import { findUploadStatus, type UploadStatus } from '../../core/files/upload-status.ts';
import { parseEtagCondition } from '../../core/objects/commit/condition.ts';
import { TIERS } from '../../core/objects/object.ts';
import { parseHttpDate } from '../../kit/http-date.ts';
import { requestBody } from '../../server/bodies/request-body.ts';
import { principalOf } from '../../server/listener/access.ts';
import { sendContinue } from '../../server/listener/expectations.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { FilesDeps } from './deps.ts';
import {
  FileNameSchema,
  isoTime,
  OPERATION_EXAMPLE,
  parseContentEncoding,
  parseContentType,
  type RouteAddress,
} from './wire.ts';

const TierSchema = Type.Enum([...TIERS], {
  description: 'Sets the price multiplier only.',
  default: 'normal',
});

const UploadQuerySchema = Type.Object({
  file_name: FileNameSchema,
  tier: Type.Optional(TierSchema),
});

/** A condition that says nothing is no leave to overwrite. */
const AN_ETAG = '[^ ,]';

const UploadHeadersSchema = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'ETag that the file must have.', pattern: AN_ETAG }),
  ),
  'if-none-match': Type.Optional(
    Type.String({ description: '`*`: only if there is no such file.', pattern: AN_ETAG }),
  ),
});

const AcceptedSchema = Type.Object(
  { operation_id: Type.String(), file_name: Type.String(), status: Type.String() },
  { description: 'The file is durable, visible and listed.', examples: [OPERATION_EXAMPLE] },
);

/** One call under the addresses that published clients know it by. */
const UPLOAD_ADDRESSES = {
  upload: '/upload',
  priorityUpload: '/priorityUpload',
  uploadV1: '/v1/upload',
} as const;

const STATUS_ADDRESSES = {
  checkUploadStatus: '/checkUploadStatus',
  checkUploadStatusPop: '/pop/v1/checkUploadStatus',
} as const;

export function registerUploadRoutes(server: ApiServer, deps: FilesDeps): void {
  for (const [operationId, url] of Object.entries(UPLOAD_ADDRESSES)) {
    // In a scope of its own: no parser may touch the body, whatever its type.
    server.register(async (scope: ApiServer) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
      registerUpload(scope, deps, { operationId, url });
    });
  }
  for (const [operationId, url] of Object.entries(STATUS_ADDRESSES)) {
    registerStatus(server, deps, { operationId, url });
  }
}

function registerUpload(
  server: ApiServer,
  deps: FilesDeps,
  { operationId, url }: RouteAddress,
): void {
  server.route({
    method: 'POST',
    url,
    config: { access: 'account', takesBytes: true },
    schema: {
      operationId,
      tags: ['files'],
      summary: 'Upload a file of any size',
      description:
        'The raw body is the file; its content type is kept. When the answer comes, the file is durable.',
      querystring: UploadQuerySchema,
      headers: UploadHeadersSchema,
      response: {
        202: AcceptedSchema,
        ...errorResponses(400, 401, 402, 403, 404, 412, 413, 429, 507),
      },
    },
    handler: async (request, reply) => {
      refuseUnkept(request.headers);
      const operation = await uploadFile(
        deps,
        {
          principal: principalOf(request),
          name: request.query.file_name,
          contentType: parseContentType(request.typeOfBytes),
          contentEncoding: parseContentEncoding(request.headers['content-encoding']),
          tier: request.query.tier ?? 'normal',
          body: requestBody(request.raw, deps.watch),
          conditions: {
            ifMatch: parseEtagCondition(request.headers['if-match']),
            ifNoneMatch: parseEtagCondition(request.headers['if-none-match']),
          },
          isExpectingContinue: request.isExpectingContinue,
        },
        { onAdmitted: () => sendContinue(request, reply) },
      );
      deps.metrics.countBytes('in', operation.bytesUploaded);
      const { operationId, key, status } = operation;
      return reply
        .code(202)
        .header('x-operation-id', operationId)
        .header('location', `/checkUploadStatus?operation_id=${operationId}`)
        .send({ operation_id: operationId, file_name: key, status });
    },
  });
}

/** What would change what an upload does, and is not served, is refused and not dropped. */
function refuseUnkept(headers: IncomingHttpHeaders): void {
  if (headers['content-range'] !== undefined) {
    throw unkept('Content-Range', 'files are written whole');
  }
  const date = headers['if-unmodified-since'];
  if (date !== undefined && parseHttpDate(date) !== undefined) {
    throw unkept('If-Unmodified-Since', 'If-Match is the guard of an upload');
  }
}

function unkept(field: string, why: string): ServiceError {
  return new ServiceError('invalid_field', `An upload takes no ${field}: ${why}.`, {
    details: { field },
  });
}

const StatusSchema = Type.Object(
  {
    operation_id: Type.String(),
    file_name: Type.String(),
    status: Type.String({
      description: 'queued, running, durable, finalizing, completed or failed.',
    }),
    finished: Type.Boolean(),
    parts_completed: Type.Integer(),
    total_parts: Type.Integer(),
    error: Type.Union([Type.String(), Type.Null()]),
    content_hash: Type.Union([Type.String(), Type.Null()], { description: 'BLAKE3-256, hex.' }),
    deterministic_url: Type.Union([Type.String(), Type.Null()]),
    bytes_total: Type.Union([Type.Integer(), Type.Null()]),
    bytes_uploaded: Type.Integer(),
    created_at: Type.String(),
    updated_at: Type.String(),
  },
  {
    examples: [
      {
        ...OPERATION_EXAMPLE,
        finished: true,
        parts_completed: 1,
        total_parts: 1,
        error: null,
        content_hash: 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f',
        deterministic_url:
          'http://localhost:8080/k4mzq7d2xw5a/ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f',
        bytes_total: 5,
        bytes_uploaded: 5,
        created_at: '2026-11-22T12:00:00.000Z',
        updated_at: '2026-11-22T12:00:00.012Z',
      },
    ],
  },
);

function registerStatus(
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
      summary: 'How an upload went',
      querystring: Type.Object({
        operation_id: Type.Optional(Type.String({ examples: [OPERATION_EXAMPLE.operation_id] })),
        file_name: Type.Optional(Type.String({ description: 'The newest upload of this name.' })),
      }),
      response: { 200: StatusSchema, ...errorResponses(400, 401, 403, 404, 429) },
    },
    handler: async (request) => {
      const { operation_id: id, file_name: name } = request.query;
      const principal = principalOf(request);
      if (id !== undefined) {
        const asked = { kind: 'byId', operationId: id } as const;
        const status = await findUploadStatus(deps, principal, asked);
        return statusBody(status, principal.slug, deps.publicUrl(request.raw));
      }
      if (name === undefined) {
        throw new ServiceError('invalid_field', 'operation_id or file_name is required.', {
          details: { field: 'operation_id' },
        });
      }
      const status = await findUploadStatus(deps, principal, { kind: 'byName', name });
      return statusBody(status, principal.slug, deps.publicUrl(request.raw));
    },
  });
}

function statusBody({ operation, isLinkable }: UploadStatus, slug: string, publicUrl: string) {
  const hash = operation.contentHash ?? null;
  return {
    operation_id: operation.operationId,
    file_name: operation.key,
    status: operation.status,
    finished: isFinished(operation),
    parts_completed: operation.status === 'completed' ? 1 : 0,
    total_parts: 1,
    error: operation.error ?? null,
    content_hash: hash,
    deterministic_url: isLinkable && hash !== null ? `${publicUrl}/${slug}/${hash}` : null,
    bytes_total: operation.bytesTotal ?? null,
    bytes_uploaded: operation.bytesUploaded,
    created_at: isoTime(operation.createdAt),
    updated_at: isoTime(operation.updatedAt),
  };
}

function isFinished(operation: UploadOperation): boolean {
  return operation.status === 'completed' || operation.status === 'failed';
}
