/** What anyone may read: public links and deterministic URLs. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { isServiceError } from '../../core/errors.ts';
import { resolveDeterministicUrl } from '../../core/files/deterministic-url.ts';
import {
  issueLinkPass,
  type LinkProof,
  type OpenedLink,
  openLink,
} from '../../core/files/open-link.ts';
import { parseLinkHash } from '../../core/files/public-link.ts';
import { limitKey } from '../../core/ids.ts';
import { LINK_COOKIE_LIFE_MS } from '../../core/limits.ts';
import { objectNotFound } from '../../core/objects/read/read-object.ts';
import { decodeUtf8 } from '../../kit/text.ts';
import { readSmallBody } from '../../server/bodies/small-body.ts';
import { CHALLENGE, limitRequest } from '../../server/listener/access.ts';
import { escapeHtml, sendPage } from '../../server/schema/html-page.ts';
import { assertWellFormedQuery, parseQuery } from '../../server/schema/raw-query.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { FilesDeps } from './deps.ts';
import { bytesSchema } from './download-routes.ts';
import { type FileAnswer, sendFile } from './send-file.ts';

export function registerPublicRoutes(server: ApiServer, deps: FilesDeps): void {
  registerLinkDownload(server, deps);
  server.register(async (scope: ApiServer) => registerPasswordForm(scope, deps));
  registerDeterministicUrl(server, deps);
}

const HashSchema = Type.String({
  description: 'The link hash.',
  examples: ['5e8d7c3a1f4b4a6e9c2d7b8a9f0e1d2c'],
});

const LINK_OPTIONS = {
  preview: Type.Optional(
    Type.Boolean({ description: 'A small page for link previews instead of the bytes.' }),
  ),
  encoding: Type.Optional(
    Type.Literal('base64', { description: 'Base64 text instead of the bytes.' }),
  ),
};

const LinkQuerySchema = Type.Object({ hash: HashSchema, ...LINK_OPTIONS });

const LINK_HEADERS = Type.Object({
  'x-link-password': Type.Optional(Type.String({ description: 'Where the link has one.' })),
});

const LINK_RESPONSES = {
  200: bytesSchema('The whole file.'),
  206: bytesSchema('The part that `Range` names.'),
  304: Type.Null({ description: 'The copy at hand is still good.' }),
  ...errorResponses(400, 401, 403, 404, 410, 412, 416, 429),
};

function registerLinkDownload(server: ApiServer, deps: FilesDeps): void {
  server.route({
    method: 'GET',
    url: '/publicDownload',
    config: { access: 'public' },
    schema: {
      operationId: 'publicDownload',
      tags: ['links'],
      summary: 'The file behind a public link',
      security: [],
      querystring: LinkQuerySchema,
      headers: LINK_HEADERS,
      response: LINK_RESPONSES,
    },
    handler: async (request, reply) => {
      await serveLink(deps, request, reply, request.query);
      return reply;
    },
  });
  server.route({
    method: 'GET',
    url: '/public/:hash',
    config: { access: 'public' },
    schema: {
      operationId: 'publicDownloadByPath',
      tags: ['links'],
      summary: 'The file behind a public link, as older published clients ask for it',
      security: [],
      params: Type.Object({ hash: HashSchema }),
      querystring: Type.Object(LINK_OPTIONS),
      headers: LINK_HEADERS,
      response: LINK_RESPONSES,
    },
    handler: async (request, reply) => {
      await serveLink(deps, request, reply, { ...request.query, ...request.params });
      return reply;
    },
  });
}

async function serveLink(
  deps: FilesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  asked: Static<typeof LinkQuerySchema>,
): Promise<void> {
  const { hash, preview, encoding = 'raw' } = asked;
  try {
    const opened = await followLink(deps, request, reply, hash);
    if (preview === true) await sendPreview(deps, opened, reply);
    else await sendFile(deps, request, reply, { ...linkAnswer(opened), encoding });
  } catch (error) {
    const isForPeople = request.headers.accept?.includes('text/html') === true;
    const needsPassword = isServiceError(error, 'link_password_required');
    if (!needsPassword || !isForPeople) throw error;
    await sendPasswordPage(reply, 401, hash, 'This link has a password.');
  }
}

async function followLink(
  deps: FilesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  hash: string,
): Promise<OpenedLink> {
  const field = request.headers['x-link-password'];
  if (typeof field === 'string') {
    return await tryPassword(deps, request, reply, hash, textOfField(field));
  }
  const pass = cookieOf(request, passCookie(hash));
  const proof: LinkProof = pass === undefined ? { kind: 'none' } : { kind: 'pass', pass };
  return await openLink(deps, { hash, proof });
}

/**
 * Command-line clients send UTF-8 in a field that Node reads byte by byte; browsers send Latin-1.
 */
function textOfField(field: string): string {
  return decodeUtf8(Buffer.from(field, 'latin1')) ?? field;
}

/** Tries are counted per link and address before the password is looked at. */
async function tryPassword(
  deps: FilesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  hash: string,
  password: string,
): Promise<OpenedLink> {
  // Counters are kept by what stands here: only what can be a link may fill memory.
  const linkHash = parseLinkHash(hash);
  const key = limitKey({ name: `link ${linkHash}`, address: request.clientAddress });
  await limitRequest(deps, reply, 'password', key);
  return await openLink(deps, { hash, proof: { kind: 'password', password } });
}

function linkAnswer({ link, find }: OpenedLink): FileAnswer {
  return {
    find,
    encoding: 'raw',
    caching: {
      kind: 'link',
      hasPassword: link.passwordHash !== undefined,
      expiresAt: link.expiresAt,
    },
    payer: {
      accountId: link.accountId,
      bucketId: link.bucketId,
      source: 'link',
      credential: '',
      link: link.hash,
    },
  };
}

async function sendPreview(
  deps: FilesDeps,
  { link, find }: OpenedLink,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const object = await find();
  if (object === undefined) throw objectNotFound();
  const name = link.key.split('/').at(-1) ?? link.key;
  const title = link.title ?? name;
  const description = link.description ?? `${object.sizeBytes} bytes, ${object.contentType}`;
  const address = `/publicDownload?hash=${link.hash}`;
  return sendPage(reply, 200, {
    title,
    openGraph: {
      'og:type': 'website',
      'og:title': title,
      'og:description': description,
      'og:url': `${deps.publicUrl(reply.request.raw)}${address}`,
    },
    body: `<p>${escapeHtml(description)}</p>\n<p><a href="${address}" rel="noreferrer">Download ${escapeHtml(name)}</a></p>`,
  });
}

function sendPasswordPage(
  reply: FastifyReply,
  status: number,
  hash: string,
  words: string,
): FastifyReply {
  reply.header('www-authenticate', CHALLENGE);
  return sendPage(reply, status, {
    title: 'A file for you',
    body: `<p role="status">${escapeHtml(words)}</p>
<form method="post" action="/publicDownload?hash=${encodeURIComponent(hash)}">
<label for="password">Password</label><br>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Open</button>
</form>`,
  });
}

/** The form of the password page: a right password sets a cookie for this link alone. */
function registerPasswordForm(server: ApiServer, deps: FilesDeps): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async (request: FastifyRequest) =>
    readSmallBody(deps, request, (body) => {
      const fields = parseQuery(body.toString('utf8'));
      assertWellFormedQuery(fields);
      return { ...fields };
    }),
  );
  server.route({
    method: 'POST',
    url: '/publicDownload',
    config: { access: 'public' },
    schema: {
      operationId: 'openPublicLink',
      tags: ['links'],
      summary: 'The form of the password page of a public link',
      security: [],
      consumes: ['application/x-www-form-urlencoded'],
      querystring: Type.Object({ hash: Type.String() }),
      body: Type.Object({ password: Type.String() }, { examples: [{ password: 'open sesame' }] }),
      response: {
        // No body at all, where `null` would be sent as JSON.
        303: Type.Unsafe<undefined>(
          Type.Null({ description: 'The password is right: back to the link, with a cookie.' }),
        ),
        ...errorResponses(400, 401, 403, 404, 410, 429),
      },
    },
    handler: async (request, reply) => {
      const { hash } = request.query;
      try {
        const opened = await tryPassword(deps, request, reply, hash, request.body.password);
        const pass = issueLinkPass(deps, opened.link);
        const secure = deps.publicUrl().startsWith('https:') ? '; Secure' : '';
        const life = `Max-Age=${LINK_COOKIE_LIFE_MS / 1000}`;
        const cookie = `${passCookie(hash)}=${pass}; Path=/publicDownload; HttpOnly; SameSite=Lax; ${life}${secure}`;
        return await reply
          .code(303)
          .header('set-cookie', cookie)
          .header('location', `/publicDownload?hash=${opened.link.hash}`)
          .header('cache-control', 'no-store')
          .send(undefined);
      } catch (error) {
        if (!isServiceError(error, 'link_password_wrong')) throw error;
        return sendPasswordPage(reply, 401, hash, 'That password is wrong.');
      }
    },
  });
}

function passCookie(hash: string): string {
  return `pinfold_link_${hash}`;
}

function cookieOf(request: FastifyRequest, name: string): string | undefined {
  for (const field of request.headers.cookie?.split(';') ?? []) {
    const at = field.indexOf('=');
    if (at > 0 && field.slice(0, at).trim() === name) return field.slice(at + 1).trim();
  }
  return undefined;
}

function registerDeterministicUrl(server: ApiServer, deps: FilesDeps): void {
  server.route({
    method: 'GET',
    url: '/:account/:hash',
    config: { access: 'public' },
    schema: {
      operationId: 'deterministicUrl',
      tags: ['files'],
      summary: 'A file of an account by the BLAKE3 of its bytes',
      security: [],
      params: Type.Object({
        account: Type.String({ description: 'The public slug of the account, or its user id.' }),
        hash: Type.String({ description: 'BLAKE3-256, 64 hex digits in either case.' }),
      }),
      response: {
        200: bytesSchema('The whole file.'),
        206: bytesSchema('The part that `Range` names.'),
        304: Type.Null({ description: 'The copy at hand is still good.' }),
        ...errorResponses(403, 404, 412, 416, 429),
      },
    },
    handler: async (request, reply) => {
      const { account, find } = await resolveDeterministicUrl(deps, request.params);
      await sendFile(deps, request, reply, {
        find,
        encoding: 'raw',
        caching: { kind: 'url' },
        payer: {
          accountId: account.accountId,
          bucketId: account.defaultBucketId,
          source: 'url',
          credential: '',
          link: undefined,
        },
      });
      return reply;
    },
  });
}
