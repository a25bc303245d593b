/** Wallets for tests: Ed25519 keys that sign as a Solana wallet does. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { encodeBase58 } from '../../src/kit/base58.ts';
import { seededRandom } from './seeded-random.ts';

export type Wallet = {
  /** Base58 of the public key. */
  readonly address: string;
  readonly publicKey: Uint8Array;
  /** Base64 of the signature over bytes, or over the UTF-8 of a text. */
  readonly sign: (message: string | Uint8Array) => string;
};

/** PKCS #8 of an Ed25519 key up to its 32 secret bytes (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The same name gives the same wallet. */
export function walletOf(name: string): Wallet {
  const secret = seededRandom(`wallet ${name}`).bytes(32);
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_HEAD, secret]),
    format: 'der',
    type: 'pkcs8',
  });
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const publicKey = new Uint8Array(Buffer.from(x, 'base64url'));
  return {
    address: encodeBase58(publicKey),
    publicKey,
    sign: (message) => sign(null, Buffer.from(message), key).toString('base64'),
  };
}
