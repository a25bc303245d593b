/** Who asks, and how often: credentials, rate limits, and what both add to an answer. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../../core/errors.ts';
import type { SentCredential } from '../../core/identity/access/authenticate.ts';
import { type LimitKey, limitKey } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { LimitName, LimitState, RateLimiter } from '../../core/ports/rate-limiter.ts';
import type { Principal } from '../../core/principal.ts';
import type { Shell } from './shell.ts';

/**
 * Who may call a route. `account`: a signed-in account; `public`: anyone, counted per address;
 * `signIn`: anyone, counted more strictly; `open`: anyone, uncounted (health and documents).
 */
export type Access = 'account' | 'public' | 'signIn' | 'open';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** Left out of the OpenAPI documents. */
    isUndocumented?: boolean;
  }
  interface FastifyRequest {
    principal: Principal | undefined;
    /** Where it comes from, canonical. */
    clientAddress: string;
  }
}

export type AccessDeps = Pick<Shell, 'connections'> & {
  readonly authenticate: (sent: {
    readonly credentials: readonly SentCredential[];
    readonly clientAddress: string;
    readonly csrfToken: string | undefined;
  }) => Promise<Principal>;
  readonly limiter: RateLimiter;
  readonly clock: Pick<Clock, 'now'>;
};

/** What every 401 says of how to sign in (RFC 9110 section 11.6.1). */
export const CHALLENGE = 'Bearer realm="pinfold", ApiKey realm="pinfold"';

/**
 * The hook that admits a request, or throws `unauthenticated`, `credential_invalid`,
 * `rate_limited`.
 */
export function admitRequest(deps: AccessDeps) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    // Every route says it; what has no route is answered 404 to anyone.
    const access = request.routeOptions.config.access ?? 'open';
    switch (access) {
      case 'open':
        return;
      case 'public':
        return limitRequest(deps, reply, 'anonymous', addressKey(request));
      case 'signIn':
        return limitRequest(deps, reply, 'signIn', addressKey(request));
      case 'account':
        // For its holder alone; a route that knows better says so.
        reply.header('cache-control', 'private, no-cache');
        return admitAccount(deps, request, reply);
    }
  };
}

/** Takes a point and tells the client how it stands; throws `rate_limited`. */
export async function limitRequest(
  deps: Pick<AccessDeps, 'limiter' | 'clock'>,
  reply: FastifyReply,
  name: LimitName,
  key: LimitKey,
): Promise<void> {
  tellLimit(deps, reply, await deps.limiter.consume(name, key));
}

/** As `limitRequest`, and takes no point: for what is counted only when it fails. */
export async function refuseLimited(
  deps: Pick<AccessDeps, 'limiter' | 'clock'>,
  reply: FastifyReply,
  name: LimitName,
  key: LimitKey,
): Promise<void> {
  const state = await deps.limiter.look(name, key);
  if (state?.isAllowed === false) tellLimit(deps, reply, state);
}

function tellLimit(
  deps: Pick<AccessDeps, 'clock'>,
  reply: FastifyReply,
  state: LimitState | undefined,
): void {
  if (state === undefined) return;
  const resetSeconds = Math.ceil(state.resetAt / 1000);
  reply.header('x-ratelimit-limit', state.limit);
  reply.header('x-ratelimit-remaining', state.remaining);
  reply.header('x-ratelimit-reset', resetSeconds);
  if (state.isAllowed) return;
  const retryAfter = Math.max(1, Math.ceil((state.resetAt - deps.clock.now()) / 1000));
  reply.header('retry-after', retryAfter);
  throw new ServiceError('rate_limited', 'Too many requests; slow down.', {
    details: { retryAfter, limit: state.limit, remaining: 0, resetTime: resetSeconds },
  });
}

/** The account that the `account` hook found; routes without that hook must not ask. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === undefined) {
    throw new ServiceError('unauthenticated', 'Sign in first.');
  }
  return request.principal;
}

async function admitAccount(
  deps: AccessDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const credentials = sentCredentials(request);
  try {
    const csrfToken = textHeader(request, 'x-csrf-token');
    request.principal = await deps.authenticate({
      credentials,
      clientAddress: request.clientAddress,
      csrfToken,
    });
  } catch (error) {
    // Guesses are counted by address: there is no account yet to count them by.
    await limitRequest(deps, reply, 'anonymous', addressKey(request));
    throw error;
  }
  const { accountId, credential } = request.principal;
  deps.connections.prove(request.raw.socket, accountId);
  const detail = credential.kind === 'token' ? credential.tokenId : credential.kind;
  await limitRequest(deps, reply, 'credential', limitKey({ name: `${accountId} ${detail}` }));
}

function addressKey({ clientAddress: address }: FastifyRequest): LimitKey {
  return limitKey({ address });
}

/** All credentials of a request in the order in which they are tried (files-api.md). */
function sentCredentials(request: FastifyRequest): readonly SentCredential[] {
  const credentials: SentCredential[] = [];
  const authorization = textHeader(request, 'authorization');
  if (authorization !== undefined) {
    const { scheme, text } = /^(?<scheme>[^\s]+)\s+(?<text>.*)$/.exec(authorization)?.groups ?? {};
    const kind = scheme?.toLowerCase();
    if (kind === 'bearer' || kind === 'apikey') {
      credentials.push({
        scheme: kind === 'bearer' ? 'Bearer' : 'ApiKey',
        text: (text ?? '').trim(),
      });
    } else {
      credentials.push({ scheme: 'Bearer', text: '' });
    }
  }
  const apiKey = textHeader(request, 'x-api-key');
  if (apiKey !== undefined) credentials.push({ scheme: 'X-API-Key', text: apiKey.trim() });
  // Older published clients send the app key here, with X-User-Id beside it, which says nothing.
  const appKey = textHeader(request, 'x-user-app-key');
  if (appKey !== undefined) credentials.push({ scheme: 'X-User-App-Key', text: appKey.trim() });
  return credentials;
}

function textHeader(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
