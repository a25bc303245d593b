/**
 * JSON Web Tokens of one fixed algorithm, HS256 (RFC 7519), by jose, which is loaded with the first
 * token: a server of app keys and S3 keys alone never needs it.
 */
import type { DerivedKey } from './keyring.ts';

/** All that a token says. Times are milliseconds, whole seconds on the wire. */
export type JwtClaims = {
  readonly issuer: string;
  readonly audience: string;
  readonly subject: string;
  /** `sid`: the session that the token belongs to. */
  readonly sessionId: string;
  readonly tokenId: string;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
};

/** Anything longer is no token of ours; bounds what is parsed. */
const JWT_LENGTH_MAX = 2048;
const ALGORITHM = 'HS256';

/** Whether `text` has the form of a JWT; says nothing about its worth. */
export function hasJwtForm(text: string): boolean {
  return text.length <= JWT_LENGTH_MAX && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
}

export async function signJwt(claims: JwtClaims, { kid, key }: DerivedKey): Promise<string> {
  const { SignJWT } = await import('jose/jwt/sign');
  return await new SignJWT({ sid: claims.sessionId })
    .setProtectedHeader({ alg: ALGORITHM, kid, typ: 'JWT' })
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setSubject(claims.subject)
    .setJti(claims.tokenId)
    .setIssuedAt(Math.floor(claims.issuedAtMs / 1000))
    .setExpirationTime(Math.floor(claims.expiresAtMs / 1000))
    .sign(key);
}

/**
 * The claims of a token that is signed by a key we hold, was issued for `audience` by `issuer` and
 * has not expired; `undefined` for anything else. The token's header never chooses the algorithm.
 */
export async function verifyJwt(
  text: string,
  expected: {
    readonly findKey: (kid: string) => DerivedKey | undefined;
    readonly issuer: string;
    readonly audience: string;
    readonly nowMs: number;
  },
): Promise<JwtClaims | undefined> {
  if (!hasJwtForm(text)) return undefined;
  const { jwtVerify } = await import('jose/jwt/verify');
  const { JOSEError, JWKSNoMatchingKey } = await import('jose/errors');
  try {
    const { payload } = await jwtVerify(
      text,
      ({ kid }) => {
        const found = expected.findKey(kid ?? '');
        if (found === undefined) throw new JWKSNoMatchingKey();
        return found.key;
      },
      {
        algorithms: [ALGORITHM],
        issuer: expected.issuer,
        audience: expected.audience,
        requiredClaims: ['sub', 'sid', 'jti', 'iat', 'exp'],
        currentDate: new Date(expected.nowMs),
      },
    );
    return claimsOf(payload);
  } catch (error) {
    if (error instanceof JOSEError) return undefined;
    throw error;
  }
}

function claimsOf(payload: Readonly<Record<string, unknown>>): JwtClaims | undefined {
  const { iss, aud, sub, sid, jti, iat, exp } = payload;
  if (typeof iss !== 'string' || typeof aud !== 'string' || typeof sub !== 'string')
    return undefined;
  if (typeof sid !== 'string' || typeof jti !== 'string') return undefined;
  if (typeof iat !== 'number' || typeof exp !== 'number') return undefined;
  return {
    issuer: iss,
    audience: aud,
    subject: sub,
    sessionId: sid,
    tokenId: jti,
    issuedAtMs: iat * 1000,
    expiresAtMs: exp * 1000,
  };
}
