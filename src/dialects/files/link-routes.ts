/** Making, listing and ending public links. */
import { Type } from 'typebox';
import {
  createPublicLink,
  deletePublicLink,
  listPublicLinks,
} from '../../core/files/public-links.ts';
import { LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX } from '../../core/limits.ts';
import { principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { FilesDeps } from './deps.ts';
import { FileNameSchema, isoTime, parseTime } from './wire.ts';

const LINK_EXAMPLE = { link_hash: '5e8d7c3a1f4b4a6e9c2d7b8a9f0e1d2c' };

export function registerLinkRoutes(server: ApiServer, deps: FilesDeps): void {
  registerCreate(server, deps);
  registerDelete(server, deps, 'POST');
  registerDelete(server, deps, 'DELETE');
  registerList(server, deps);
}

function registerCreate(server: ApiServer, deps: FilesDeps): void {
  server.route({
    method: 'POST',
    url: '/createPublicLink',
    config: { access: 'account' },
    schema: {
      operationId: 'createPublicLink',
      tags: ['links'],
      summary: 'Let anyone with the link read a file',
      description: 'A token needs `files:read` and `files:write`.',
      body: Type.Object(
        {
          file_name: FileNameSchema,
          custom_title: Type.Optional(Type.String()),
          custom_description: Type.Optional(Type.String()),
          expires_at: Type.Optional(Type.String({ description: 'RFC 3339, with a zone.' })),
          password: Type.Optional(Type.String()),
        },
        { examples: [{ file_name: 'hello.txt', expires_at: '2027-01-01T00:00:00.000Z' }] },
      ),
      response: {
        200: Type.Object({ link_hash: Type.String() }, { examples: [LINK_EXAMPLE] }),
        ...errorResponses(400, 401, 403, 404, 429),
      },
    },
    handler: async (request) => {
      const { body } = request;
      const hash = await createPublicLink(deps, principalOf(request), {
        name: body.file_name,
        title: body.custom_title,
        description: body.custom_description,
        expiresAt:
          body.expires_at === undefined ? undefined : parseTime(body.expires_at, 'expires_at'),
        password: body.password,
      });
      return { link_hash: hash };
    },
  });
}

/** `DELETE` is how older published clients send the same document. */
function registerDelete(server: ApiServer, deps: FilesDeps, method: 'POST' | 'DELETE'): void {
  server.route({
    method,
    url: '/deletePublicLink',
    config: { access: 'account' },
    schema: {
      operationId: method === 'POST' ? 'deletePublicLink' : 'deletePublicLinkByDelete',
      tags: ['links'],
      summary: 'End a public link',
      body: Type.Object({ link_hash: Type.String() }, { examples: [LINK_EXAMPLE] }),
      response: {
        200: Type.Object(
          { message: Type.String(), link_hash: Type.String() },
          { examples: [{ message: 'Link deleted.', ...LINK_EXAMPLE }] },
        ),
        ...errorResponses(400, 401, 403, 404, 429),
      },
    },
    handler: async (request) => {
      const { link_hash: hash } = request.body;
      await deletePublicLink(deps, principalOf(request), hash);
      return { message: 'Link deleted.', link_hash: hash };
    },
  });
}

const LinkListSchema = Type.Object(
  {
    links: Type.Array(
      Type.Object({
        link_hash: Type.String(),
        file_name: Type.String(),
        custom_title: Type.Union([Type.String(), Type.Null()]),
        custom_description: Type.Union([Type.String(), Type.Null()]),
        expires_at: Type.Union([Type.String(), Type.Null()]),
        has_password: Type.Boolean(),
        created_at: Type.String(),
      }),
    ),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
  },
  {
    examples: [
      {
        links: [
          {
            ...LINK_EXAMPLE,
            file_name: 'hello.txt',
            custom_title: null,
            custom_description: null,
            expires_at: null,
            has_password: false,
            created_at: '2026-11-22T12:00:00.000Z',
          },
        ],
        next_cursor: null,
      },
    ],
  },
);

function registerList(server: ApiServer, deps: FilesDeps): void {
  server.route({
    method: 'GET',
    url: '/publicLinks',
    config: { access: 'account' },
    schema: {
      operationId: 'listPublicLinks',
      tags: ['links'],
      summary: "The account's public links, newest first",
      querystring: Type.Object({
        limit: Type.Optional(
          Type.Integer({ minimum: 1, maximum: LIST_LIMIT_MAX, default: LIST_LIMIT_DEFAULT }),
        ),
        cursor: Type.Optional(Type.String()),
      }),
      response: { 200: LinkListSchema, ...errorResponses(400, 401, 403, 429) },
    },
    handler: async (request) => {
      const { limit = LIST_LIMIT_DEFAULT, cursor } = request.query;
      const page = await listPublicLinks(deps, principalOf(request), { limit, cursor });
      return {
        links: page.links.map((link) => ({
          link_hash: link.hash,
          file_name: link.key,
          custom_title: link.title ?? null,
          custom_description: link.description ?? null,
          expires_at: link.expiresAt === undefined ? null : isoTime(link.expiresAt),
          has_password: link.passwordHash !== undefined,
          created_at: isoTime(link.createdAt),
        })),
        next_cursor: page.nextCursor ?? null,
      };
    },
  });
}
