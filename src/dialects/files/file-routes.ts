/** Files by name: list, rename, delete. */
import { Type } from 'typebox';
import { deleteFile } from '../../core/files/delete-file.ts';
import { listFiles } from '../../core/files/list-files.ts';
import { renameFile } from '../../core/files/rename-file.ts';
import { LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX } from '../../core/limits.ts';
import type { ListEntry } from '../../core/ports/metadata/objects.ts';
import { principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { FilesDeps } from './deps.ts';
import { FileNameSchema, isoTime, type RouteAddress } from './wire.ts';

/** One call under the addresses that published clients know it by. */
const DELETE_ADDRESSES = {
  deleteFile: '/deleteFile',
  deleteFilePop: '/pop/v1/deleteFile',
} as const;

export function registerFileRoutes(server: ApiServer, deps: FilesDeps): void {
  registerList(server, deps);
  registerRename(server, deps);
  for (const [operationId, url] of Object.entries(DELETE_ADDRESSES)) {
    registerDelete(server, deps, { operationId, url });
  }
}

const FileSchema = Type.Object({
  file_name: Type.String(),
  size: Type.Integer({ description: 'Bytes.' }),
  content_type: Type.String(),
  etag: Type.String({ description: 'Without quotes.' }),
  content_hash: Type.Union([Type.String(), Type.Null()], { description: 'BLAKE3-256, hex.' }),
  cid: Type.Union([Type.String(), Type.Null()], { description: 'Null until asked for.' }),
  last_modified: Type.String(),
});

const ListingSchema = Type.Object(
  {
    files: Type.Array(FileSchema),
    prefixes: Type.Array(Type.String()),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
  },
  {
    examples: [
      {
        files: [
          {
            file_name: 'hello.txt',
            size: 5,
            content_type: 'text/plain',
            etag: '5d41402abc4b2a76b9719d911017c592',
            content_hash: 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f',
            cid: null,
            last_modified: '2026-11-22T12:00:00.000Z',
          },
        ],
        prefixes: ['photos/'],
        next_cursor: null,
      },
    ],
  },
);

function registerList(server: ApiServer, deps: FilesDeps): void {
  server.route({
    method: 'GET',
    url: '/files',
    config: { access: 'account' },
    schema: {
      operationId: 'listFiles',
      tags: ['files'],
      summary: 'List files in order of their names',
      querystring: Type.Object({
        prefix: Type.Optional(Type.String({ default: '' })),
        delimiter: Type.Optional(Type.String({ default: '', description: 'Usually `/`.' })),
        limit: Type.Optional(
          Type.Integer({ minimum: 1, maximum: LIST_LIMIT_MAX, default: LIST_LIMIT_DEFAULT }),
        ),
        cursor: Type.Optional(Type.String({ description: '`next_cursor` of the page before.' })),
      }),
      response: { 200: ListingSchema, ...errorResponses(400, 401, 403, 429) },
    },
    handler: async (request) => {
      const { prefix = '', delimiter = '', limit = LIST_LIMIT_DEFAULT, cursor } = request.query;
      const query = { prefix, delimiter, limit, cursor };
      const { entries, nextCursor } = await listFiles(deps, principalOf(request), query);
      return {
        files: entries.flatMap((entry) => (entry.kind === 'object' ? [fileBody(entry)] : [])),
        prefixes: entries.flatMap((entry) => (entry.kind === 'prefix' ? [entry.prefix] : [])),
        next_cursor: nextCursor ?? null,
      };
    },
  });
}

function fileBody({ object }: ListEntry & { readonly kind: 'object' }) {
  return {
    file_name: object.key,
    size: object.sizeBytes,
    content_type: object.contentType,
    etag: object.etag,
    content_hash: object.contentHash ?? null,
    cid: null,
    last_modified: isoTime(object.createdAt),
  };
}

function registerRename(server: ApiServer, deps: FilesDeps): void {
  server.route({
    method: 'POST',
    url: '/renameFile',
    config: { access: 'account' },
    schema: {
      operationId: 'renameFile',
      tags: ['files'],
      summary: 'Give a file another name, at once and whole',
      body: Type.Object(
        {
          file_name: FileNameSchema,
          new_file_name: Type.String(),
          overwrite: Type.Optional(
            Type.Boolean({
              default: false,
              description:
                'Replaces a file of the new name and ends its links. A token also needs `files:delete`.',
            }),
          ),
        },
        { examples: [{ file_name: 'hello.txt', new_file_name: 'greetings/hello.txt' }] },
      ),
      response: {
        200: Type.Object(
          { file_name: Type.String() },
          { examples: [{ file_name: 'greetings/hello.txt' }] },
        ),
        ...errorResponses(400, 401, 403, 404, 409, 429),
      },
    },
    handler: async (request) => {
      const { file_name: name, new_file_name: newName, overwrite } = request.body;
      const onExisting = overwrite === true ? 'overwrite' : 'refuse';
      const renamed = await renameFile(deps, principalOf(request), { name, newName, onExisting });
      return { file_name: renamed };
    },
  });
}

function registerDelete(
  server: ApiServer,
  deps: FilesDeps,
  { operationId, url }: RouteAddress,
): void {
  server.route({
    method: 'POST',
    url,
    config: { access: 'account' },
    schema: {
      operationId,
      tags: ['files'],
      summary: 'Delete a file and end its public links',
      body: Type.Object({ file_name: FileNameSchema }, { examples: [{ file_name: 'hello.txt' }] }),
      response: {
        200: Type.Object({ message: Type.String() }, { examples: [{ message: 'File deleted.' }] }),
        ...errorResponses(400, 401, 403, 404, 429),
      },
    },
    handler: async (request) => {
      await deleteFile(deps, principalOf(request), request.body.file_name);
      return { message: 'File deleted.' };
    },
  });
}
