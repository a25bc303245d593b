/** Going on with a session, and ending it. */
import { Type } from 'typebox';
import { endSession } from '../../core/identity/sessions/end-session.ts';
import { listOwnSessions, revokeOwnSession } from '../../core/identity/sessions/own-sessions.ts';
import { refreshSession } from '../../core/identity/sessions/refresh-session.ts';
import { principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import { type AccountDeps, withSite } from './deps.ts';
import {
  forbidCaching,
  isoTime,
  MessageSchema,
  TOKEN_SET_EXAMPLE,
  TokenSetSchema,
  tokenSetBody,
} from './wire.ts';

export function registerSessionRoutes(server: ApiServer, deps: AccountDeps): void {
  registerRefresh(server, deps);
  registerLogout(server, deps);
  registerList(server, deps);
  registerRevoke(server, deps);
}

function registerRefresh(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'POST',
    url: '/auth/refresh',
    config: { access: 'public' },
    schema: {
      operationId: 'refresh',
      tags: ['account'],
      summary: 'Exchange a refresh token for the next token set',
      description:
        'The token is spent. Sent again within 20 seconds, or, the first of a session, until its successor is sent, it gives the same successor; later it ends the session: 401 `refresh_reused`.',
      security: [],
      body: Type.Object(
        { refresh_token: Type.String() },
        { examples: [{ refresh_token: TOKEN_SET_EXAMPLE.refresh_token }] },
      ),
      response: { 200: TokenSetSchema, ...errorResponses(400, 401, 403, 429) },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const refreshToken = request.body.refresh_token;
      return tokenSetBody(await refreshSession(withSite(deps), { refreshToken }));
    },
  });
}

function registerLogout(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'POST',
    url: '/auth/logout',
    config: { access: 'account' },
    schema: {
      operationId: 'logout',
      tags: ['account'],
      summary: 'End the session, its access and refresh tokens at once',
      response: { 200: MessageSchema, ...errorResponses(401, 403, 429) },
    },
    handler: async (request) => {
      await endSession(deps, { principal: principalOf(request) });
      return { message: 'You are signed out.' };
    },
  });
}

const SESSION_EXAMPLE = {
  session_id: 'c3R1dnd4eXoxMjM0NTY3OA',
  created_at: '2026-11-22T12:00:00.000Z',
  expires_at: '2026-12-22T12:00:00.000Z',
  ip_address: '192.0.2.1',
  user_agent: 'curl/8.14.1',
  is_current: true,
} as const;

function registerList(server: ApiServer, deps: AccountDeps): void {
  const NullableText = Type.Union([Type.String(), Type.Null()]);
  server.route({
    method: 'GET',
    url: '/auth/sessions',
    config: { access: 'account' },
    schema: {
      operationId: 'listSessions',
      tags: ['account'],
      summary: 'The live sessions of the account, newest first',
      response: {
        200: Type.Object(
          {
            sessions: Type.Array(
              Type.Object({
                session_id: Type.String(),
                created_at: Type.String(),
                expires_at: Type.String({ description: 'Unless it is refreshed before.' }),
                ip_address: NullableText,
                user_agent: NullableText,
                is_current: Type.Boolean(),
              }),
            ),
            count: Type.Integer(),
          },
          { examples: [{ sessions: [SESSION_EXAMPLE], count: 1 }] },
        ),
        ...errorResponses(401, 403, 429),
      },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const sessions = await listOwnSessions(deps, principalOf(request));
      return {
        sessions: sessions.map((session) => ({
          session_id: session.sessionId,
          created_at: isoTime(session.createdAt),
          expires_at: isoTime(session.expiresAt),
          ip_address: session.address ?? null,
          user_agent: session.agent ?? null,
          is_current: session.isCurrent,
        })),
        count: sessions.length,
      };
    },
  });
}

function registerRevoke(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'DELETE',
    url: '/auth/sessions/:session_id',
    config: { access: 'account' },
    schema: {
      operationId: 'revokeSession',
      tags: ['account'],
      summary: 'End another session of the account at once',
      params: Type.Object({ session_id: Type.String() }),
      response: {
        200: Type.Object({ revoked: Type.Literal(true) }, { examples: [{ revoked: true }] }),
        ...errorResponses(401, 403, 404, 409, 429),
      },
    },
    handler: async (request) => {
      const principal = principalOf(request);
      await revokeOwnSession(deps, { principal, sessionId: request.params.session_id });
      return { revoked: true } as const;
    },
  });
}
