/** The short-lived JWT by which a session speaks (payments.md section 2). */
import { signJwt, verifyJwt } from '../../../kit/jwt.ts';
import type { Keyring } from '../../../kit/keyring.ts';
import { UUID_RANDOM_BYTES, uuidV7 } from '../../../kit/uuid.ts';
import type { AccountId, SessionId, TimeMs } from '../../ids.ts';
import { ACCESS_TOKEN_LIFE_MS } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import { KEY_PURPOSES } from '../key-purposes.ts';
import { parseAccountId, parseSessionId, timeMs } from '../names.ts';

/** Tokens of other services by the same issuer are not for us. */
const AUDIENCE = 'pinfold';

/** `issuer`: the configured public URL. */
export type AccessTokenDeps = {
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly issuer: string;
};

type SessionOfAccount = { readonly accountId: AccountId; readonly sessionId: SessionId };

export async function mintAccessToken(
  { clock, random, keyring, issuer }: AccessTokenDeps,
  session: SessionOfAccount,
): Promise<{ readonly accessToken: string; readonly expiresAt: TimeMs }> {
  const now = clock.now();
  // The wire has whole seconds; the token never outlives what is said beside it.
  const expiresAt = timeMs(Math.floor((now + ACCESS_TOKEN_LIFE_MS) / 1000) * 1000);
  const accessToken = await signJwt(
    {
      issuer,
      audience: AUDIENCE,
      subject: session.accountId,
      sessionId: session.sessionId,
      tokenId: uuidV7(now, random.bytes(UUID_RANDOM_BYTES)),
      issuedAtMs: now,
      expiresAtMs: expiresAt,
    },
    keyring.newest(KEY_PURPOSES.accessToken),
  );
  return { accessToken, expiresAt };
}

/** Whose token it is if it is ours and has not expired; the session may have ended since. */
export async function readAccessToken(
  deps: Pick<AccessTokenDeps, 'clock' | 'keyring' | 'issuer'>,
  text: string,
): Promise<SessionOfAccount | undefined> {
  const claims = await verifyJwt(text, {
    findKey: (kid) => deps.keyring.find(KEY_PURPOSES.accessToken, kid),
    issuer: deps.issuer,
    audience: AUDIENCE,
    nowMs: deps.clock.now(),
  });
  const accountId = parseAccountId(claims?.subject ?? '');
  const sessionId = parseSessionId(claims?.sessionId ?? '');
  return accountId && sessionId ? { accountId, sessionId } : undefined;
}
