/** All files of an account in one answer, for published clients that know no pages. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { listFiles } from '../../core/files/list-files.ts';
import { LIST_LIMIT_MAX } from '../../core/limits.ts';
import type { ListEntry } from '../../core/ports/metadata/objects.ts';
import type { Principal } from '../../core/principal.ts';
import { principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { FilesDeps } from './deps.ts';
import { isoTime } from './wire.ts';

const RowsSchema = Type.Array(
  Type.Object({
    file_name: Type.String(),
    size: Type.Integer({ description: 'Bytes.' }),
    uploaded_at: Type.String(),
    content_hash: Type.Union([Type.String(), Type.Null()], { description: 'BLAKE3-256, hex.' }),
  }),
  {
    examples: [
      [
        {
          file_name: 'hello.txt',
          size: 5,
          uploaded_at: '2026-11-22T12:00:00.000Z',
          content_hash: 'ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f',
        },
      ],
    ],
  },
);

export function registerWholeListRoute(server: ApiServer, deps: FilesDeps): void {
  server.route({
    method: 'GET',
    url: '/listFiles',
    config: { access: 'account' },
    schema: {
      operationId: 'listAllFiles',
      tags: ['files'],
      summary: 'List all files in one array, however many; `/files` has pages',
      description:
        'Streamed. A file that is written or deleted meanwhile is listed or not; every other one is, once.',
      response: { 200: RowsSchema, ...errorResponses(401, 403, 429) },
    },
    handler: async (request, reply) => {
      const pages = textOfPages(deps, principalOf(request));
      // The first page is read before the head goes out: what fails here is still answered.
      const first = await pages.next();
      if (request.method === 'HEAD') await pages.return(undefined);
      sendChunks(deps, reply, prepend(first.value ?? '', pages));
      return reply;
    },
  });
}

function sendChunks(deps: FilesDeps, reply: FastifyReply, chunks: AsyncGenerator<string>): void {
  const stream = Readable.from(chunks, { objectMode: false });
  // The connection ends with it, so that a cut list never looks whole.
  stream.once('error', (err) => {
    deps.log.error({ err, requestId: reply.request.id }, 'a listing was cut');
  });
  reply.header('content-type', 'application/json; charset=utf-8');
  reply.send(stream);
}

async function* prepend(
  first: string,
  rest: AsyncGenerator<string, undefined>,
): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

/** The array in pieces of one page each; the next page is read once the last one is taken. */
async function* textOfPages(
  deps: FilesDeps,
  principal: Principal,
): AsyncGenerator<string, undefined> {
  let cursor: string | undefined;
  let before = '[';
  do {
    const query = { prefix: '', delimiter: '', limit: LIST_LIMIT_MAX, cursor };
    const page = await listFiles(deps, principal, query);
    const rows = page.entries.flatMap((entry) => (entry.kind === 'object' ? [rowText(entry)] : []));
    cursor = page.nextCursor;
    // A page may be empty by now: a comma goes before rows, never after them.
    if (rows.length > 0) {
      yield `${before}${rows.join(',')}`;
      before = ',';
    }
  } while (cursor !== undefined);
  yield before === '[' ? '[]' : ']';
  return undefined;
}

function rowText({ object }: ListEntry & { readonly kind: 'object' }): string {
  return JSON.stringify({
    file_name: object.key,
    size: object.sizeBytes,
    uploaded_at: isoTime(object.createdAt),
    content_hash: object.contentHash ?? null,
  });
}
