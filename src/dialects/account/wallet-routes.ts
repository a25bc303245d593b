/** Sign-In With Solana: a challenge, and its signed answer. */
import { Type } from 'typebox';
import { isServiceError } from '../../core/errors.ts';
import { issueWalletChallenge } from '../../core/identity/wallets/issue-wallet-challenge.ts';
import { verifyWalletSignIn } from '../../core/identity/wallets/verify-wallet-sign-in.ts';
import { limitKey } from '../../core/ids.ts';
import { refuseLimited } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import { type AccountDeps, withSignUps, withSite } from './deps.ts';
import {
  forbidCaching,
  namingField,
  originOf,
  TokenSetSchema,
  tokenSetBody,
  WALLET_EXAMPLE,
} from './wire.ts';

const WALLET_FIELD = { wallet_invalid: 'wallet_public_key' } as const;

const NONCE_EXAMPLE = '18Yd1pNwUqDzAqK2bXc9M8J7Yd1pNwUqDzAqK2bXc9';

const CHALLENGE_EXAMPLE = {
  nonce: NONCE_EXAMPLE,
  message: `localhost:8080 wants you to sign in with your Solana account:
${WALLET_EXAMPLE}

Sign in to Pinfold. This proves that the wallet is yours and costs nothing.

URI: http://localhost:8080
Version: 1
Chain ID: mainnet
Nonce: ${NONCE_EXAMPLE}
Issued At: 2026-11-22T12:00:00.000Z
Expiration Time: 2026-11-22T12:05:00.000Z`,
} as const;

const SIGNATURE_EXAMPLE =
  'Zk1vQ0x4c3R1dnd4eXoxMjM0NTY3OEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaYWJjZGVmZ2hpamtsbW5vcA==';

const WalletSchema = Type.String({
  description: 'Base58 of the 32 bytes of the public key.',
  examples: [WALLET_EXAMPLE],
});

export function registerWalletRoutes(server: ApiServer, deps: AccountDeps): void {
  registerChallenge(server, deps);
  registerVerify(server, deps);
}

function registerChallenge(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'POST',
    url: '/auth/siws/challenge',
    config: { access: 'signIn' },
    schema: {
      operationId: 'walletChallenge',
      tags: ['account'],
      summary: 'Ask for the text that a wallet signs to sign in',
      description: 'The challenge lives five minutes, is bound to the wallet and works once.',
      security: [],
      body: Type.Object(
        { wallet_public_key: WalletSchema },
        { examples: [{ wallet_public_key: WALLET_EXAMPLE }] },
      ),
      response: {
        200: Type.Object(
          {
            nonce: Type.String(),
            message: Type.String({ description: 'Exactly the text to sign, as UTF-8.' }),
          },
          { examples: [CHALLENGE_EXAMPLE] },
        ),
        ...errorResponses(400, 429),
      },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const wallet = request.body.wallet_public_key;
      return await namingField(WALLET_FIELD, async () =>
        issueWalletChallenge(withSite(deps), { wallet }),
      );
    },
  });
}

function registerVerify(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'POST',
    url: '/auth/siws/verify',
    config: { access: 'signIn' },
    schema: {
      operationId: 'walletVerify',
      tags: ['account'],
      summary: 'Sign in with the signed challenge',
      description:
        'A wallet seen for the first time gets an account and its bucket. The signature is over the bytes of the message or, as hardware wallets sign, over an off-chain envelope (version 0 or 1) of them. 401 with the code `nonce_expired`, `nonce_used` or `signature_invalid`.',
      security: [],
      body: Type.Object(
        {
          wallet_public_key: WalletSchema,
          nonce: Type.String(),
          message: Type.String({ description: 'The text of the challenge, unchanged.' }),
          signature_b64: Type.String({ description: 'Base64 of the 64 bytes of the signature.' }),
        },
        {
          examples: [
            {
              wallet_public_key: WALLET_EXAMPLE,
              ...CHALLENGE_EXAMPLE,
              signature_b64: SIGNATURE_EXAMPLE,
            },
          ],
        },
      ),
      response: { 200: TokenSetSchema, ...errorResponses(400, 401, 403, 429) },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const { wallet_public_key: wallet, nonce, message, signature_b64: signature } = request.body;
      const answer = { wallet, nonce, message, signature, origin: originOf(request) };
      const key = limitKey({
        name: `wallet ${wallet.slice(0, 44)}`,
        address: request.clientAddress,
      });
      await refuseLimited(deps, reply, 'walletAnswer', key);
      try {
        const verify = () => verifyWalletSignIn(withSignUps(withSite(deps), request), answer);
        return tokenSetBody(await namingField(WALLET_FIELD, verify));
      } catch (error) {
        if (isServiceError(error, 'signature_invalid')) {
          await deps.limiter.consume('walletAnswer', key);
        }
        throw error;
      }
    },
  });
}
