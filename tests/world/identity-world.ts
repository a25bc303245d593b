/** All that the use cases of identity need, over memory engines, with time and chance in hand. */
import type { ErrorCode } from '../../src/core/errors.ts';
import { isServiceError } from '../../src/core/errors.ts';
import { authenticate, type SentCredential } from '../../src/core/identity/access/authenticate.ts';
import type { CountSignUp } from '../../src/core/identity/account/count-sign-ups.ts';
import type { SignUpPolicy } from '../../src/core/identity/account/sign-up.ts';
import type { TokenSet } from '../../src/core/identity/sessions/start-session.ts';
import { issueWalletChallenge } from '../../src/core/identity/wallets/issue-wallet-challenge.ts';
import { signInSite } from '../../src/core/identity/wallets/sign-in-message.ts';
import { verifyWalletSignIn } from '../../src/core/identity/wallets/verify-wallet-sign-in.ts';
import type { Principal } from '../../src/core/principal.ts';
import { MemoryMetadata } from '../../src/engines/metadata/memory-metadata.ts';
import { Argon2PasswordHasher } from '../../src/engines/passwords/argon2-password-hasher.ts';
import {
  keyringOf,
  MASTER_KEY_RANDOM_BYTES,
  newMasterKeyLine,
  parseMasterKeys,
} from '../../src/kit/keyring.ts';
import { FakeClock } from './fake-clock.ts';
import { seededRandom } from './seeded-random.ts';
import { type Wallet, walletOf } from './wallets.ts';

export type IdentityWorld = Awaited<ReturnType<typeof openIdentityWorld>>;

const PUBLIC_URL = 'https://store.example';

const uncounted: CountSignUp = async (open) => await open();

export async function openIdentityWorld(signUpPolicy: SignUpPolicy = { kind: 'open' }) {
  const random = seededRandom('identity');
  const keyLine = newMasterKeyLine(random.bytes(MASTER_KEY_RANDOM_BYTES));
  const deps = {
    metadata: await MemoryMetadata.open(),
    clock: new FakeClock(),
    random,
    keyLine,
    keyring: keyringOf(parseMasterKeys(keyLine)),
    issuer: PUBLIC_URL,
    site: signInSite(PUBLIC_URL, 'localnet'),
    signUpPolicy,
    countSignUp: uncounted,
    s3Site: () => ({ endpoint: 'https://s3.store.example', region: 'auto', apiUrl: PUBLIC_URL }),
    passwords: new Argon2PasswordHasher({ atOnceMax: 2, waitingMax: 8 }),
  };
  return deps;
}

/** Signs a wallet in, opening its account the first time. */
export async function signIn(
  world: IdentityWorld,
  wallet: Wallet = walletOf('first'),
): Promise<TokenSet> {
  const challenge = await issueWalletChallenge(world, { wallet: wallet.address });
  return await verifyWalletSignIn(world, {
    wallet: wallet.address,
    ...challenge,
    signature: wallet.sign(challenge.message),
  });
}

/** The principal of one credential, by `Authorization: Bearer` unless said otherwise. */
export async function principalBy(
  world: IdentityWorld,
  text: string,
  scheme: SentCredential['scheme'] = 'Bearer',
): Promise<Principal> {
  return await authenticate(world, {
    credentials: [{ scheme, text }],
    clientAddress: '192.0.2.1',
  });
}

/** A check for `assert.rejects`: the operating error `code`. */
export function refusedAs(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    if (isServiceError(error, code)) return true;
    throw error;
  };
}
