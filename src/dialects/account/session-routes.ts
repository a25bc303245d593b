/** Going on with a session, and ending it. */
import { Type } from 'typebox';
import { endSession } from '../../core/identity/sessions/end-session.ts';
import { refreshSession } from '../../core/identity/sessions/refresh-session.ts';
import { principalOf } from '../../server/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema-kit.ts';
import { type AccountDeps, withSite } from './deps.ts';
import {
  forbidCaching,
  MessageSchema,
  TOKEN_SET_EXAMPLE,
  TokenSetSchema,
  tokenSetBody,
} from './wire.ts';

export function registerSessionRoutes(server: ApiServer, deps: AccountDeps): void {
  registerRefresh(server, deps);
  registerLogout(server, deps);
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
        'The token is spent. Sent again within 20 seconds it gives the same successor; later it ends the session: 401 `refresh_reused`.',
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
