/** Forms that several routes of the account dialect share. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { type ErrorCode, isServiceError, ServiceError } from '../../core/errors.ts';
import type { SessionOrigin, TokenSet } from '../../core/identity/sessions/start-session.ts';
import type { TimeMs } from '../../core/ids.ts';

export const WALLET_EXAMPLE = 'FVen3X669xLzsi6N2V91DoiyzHzg1uAgqiT8jZ9nS96Z';
export const USER_ID_EXAMPLE = '019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071';
export const APP_KEY_EXAMPLE = 'pfk_EXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAabc123';

export const TOKEN_SET_EXAMPLE = {
  access_token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl',
  refresh_token: 'pfr_Zk1vQ0x4.c3R1dnd4eXoxMjM0NTY3OA.0.bWFj',
  csrf_token: 'Zk1vQ0x4.bWFj',
  token_type: 'Bearer',
  expires_in: 900,
  expires_at: '2026-11-22T12:15:00.000Z',
} as const;

const TOKEN_SET_FIELDS = {
  access_token: Type.String({ description: 'For `Authorization: Bearer`.' }),
  refresh_token: Type.String({ description: 'Good for one `POST /auth/refresh`.' }),
  csrf_token: Type.String({ description: 'For `X-CSRF-Token`, where a cookie signs in.' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds until the access token expires.' }),
  expires_at: Type.String({ description: 'When it does.' }),
};

export const TokenSetSchema = Type.Object(TOKEN_SET_FIELDS, { examples: [TOKEN_SET_EXAMPLE] });

export const TokenSetWithMessageSchema = Type.Object(
  { ...TOKEN_SET_FIELDS, message: Type.String() },
  { examples: [{ ...TOKEN_SET_EXAMPLE, message: 'The password is set.' }] },
);

export const MessageSchema = Type.Object(
  { message: Type.String() },
  { examples: [{ message: 'You are signed out.' }] },
);

export function tokenSetBody(tokens: TokenSet) {
  return {
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    csrf_token: tokens.csrfToken,
    token_type: 'Bearer' as const,
    expires_in: Math.floor(tokens.expiresInMs / 1000),
    expires_at: isoTime(tokens.expiresAt),
  };
}

/** RFC 3339, UTC, with milliseconds. */
export function isoTime(at: TimeMs): string {
  return new Date(at).toISOString();
}

/** Whence a request comes, as the list of sessions shows it. */
export function originOf(request: FastifyRequest): SessionOrigin {
  const address = request.clientAddress === '' ? undefined : request.clientAddress;
  return { address, agent: request.headers['user-agent'] };
}

/** Answers that hold secrets are kept by no cache. */
export function forbidCaching(reply: FastifyReply): void {
  reply.header('cache-control', 'no-store');
}

/** Fires when the client has gone, so that nobody waits for it in a queue. */
export function departureOf(reply: FastifyReply): AbortSignal {
  const departure = new AbortController();
  reply.raw.once('close', () => departure.abort());
  return departure.signal;
}

/**
 * Adds to a refusal which field of the body it is about (files-api.md: `invalid_field` names it);
 * the core knows what is wrong, and only the wire knows the field's name.
 */
export async function namingField<T>(
  fields: Readonly<Partial<Record<ErrorCode, string>>>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const field = isServiceError(error) ? fields[error.code] : undefined;
    if (!isServiceError(error) || field === undefined) throw error;
    const { code, message, details } = error;
    throw new ServiceError(code, message, { details: { ...details, field }, cause: error });
  }
}
