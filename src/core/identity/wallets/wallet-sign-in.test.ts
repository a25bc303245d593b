/** Proves that a wallet signs in by answering its own challenge once, in time, unchanged. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type IdentityWorld,
  openIdentityWorld,
  principalBy,
  refusedAs,
  signIn,
} from '../../../../tests/world/identity-world.ts';
import { walletOf } from '../../../../tests/world/wallets.ts';
import { decodeBase58, encodeBase58 } from '../../../kit/base58.ts';
import {
  keyringOf,
  MASTER_KEY_RANDOM_BYTES,
  newMasterKeyLine,
  parseMasterKeys,
} from '../../../kit/keyring.ts';
import { offchainEnvelopes } from '../../../kit/offchain-message.ts';
import { isServiceError } from '../../errors.ts';
import { NONCE_LIFE_MS } from '../../limits.ts';
import { disableAccount } from '../account/administer-accounts.ts';
import { issueWalletChallenge } from './issue-wallet-challenge.ts';
import { verifyWalletSignIn } from './verify-wallet-sign-in.ts';
import { parseWalletAddress } from './wallet-address.ts';

const wallet = walletOf('first');
const otherWallet = walletOf('other');

async function answerOf(world: IdentityWorld, signer = wallet) {
  const challenge = await issueWalletChallenge(world, { wallet: wallet.address });
  return { wallet: wallet.address, ...challenge, signature: signer.sign(challenge.message) };
}

test('the message has the documented grammar, from the configured URL and our clock', async () => {
  const world = await openIdentityWorld();
  const { nonce, message } = await issueWalletChallenge(world, { wallet: wallet.address });
  assert.match(nonce, /^[1-9A-HJ-NP-Za-km-z]{39,41}$/);
  assert.equal(
    message,
    `store.example wants you to sign in with your Solana account:
${wallet.address}

Sign in to Pinfold. This proves that the wallet is yours and costs nothing.

URI: https://store.example
Version: 1
Chain ID: localnet
Nonce: ${nonce}
Issued At: 2026-01-02T03:04:05.678Z
Expiration Time: 2026-01-02T03:09:05.678Z`,
  );
});

test('the first answer opens the account with its bucket, the next finds it', async () => {
  const world = await openIdentityWorld();
  const first = await principalBy(world, (await signIn(world, wallet)).accessToken);
  const again = await principalBy(world, (await signIn(world, wallet)).accessToken);
  const other = await principalBy(world, (await signIn(world, otherWallet)).accessToken);
  assert.equal(again.accountId, first.accountId);
  assert.notEqual(other.accountId, first.accountId);
  const bucket = await world.metadata.findBucketById(first.defaultBucketId);
  assert.equal(String(bucket?.name), first.slug);
  assert.match(first.slug, /^[a-z2-7]{12}$/);
  const trail = await world.metadata.listAudit({ accountId: first.accountId, limit: 10 });
  assert.deepEqual(trail.map(({ action }) => action).sort(), [
    'account.created',
    'session.started',
    'session.started',
  ]);
});

test('url-safe and unpadded signatures are accepted', async () => {
  const world = await openIdentityWorld();
  for (const form of [
    (text: string) => text.replace(/=+$/, ''),
    (text: string) => text.replaceAll('+', '-').replaceAll('/', '_'),
  ]) {
    const answer = await answerOf(world);
    await verifyWalletSignIn(world, { ...answer, signature: form(answer.signature) });
  }
});

test('a nonce works once, also when it is answered many times at once', async () => {
  const world = await openIdentityWorld();
  const answer = await answerOf(world);
  const tries = await Promise.allSettled(
    Array.from({ length: 10 }, () => verifyWalletSignIn(world, answer)),
  );
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
  for (const outcome of tries) {
    if (outcome.status === 'rejected') assert(isServiceError(outcome.reason, 'nonce_used'));
  }
  await assert.rejects(verifyWalletSignIn(world, answer), refusedAs('nonce_used'));
  // Said before anything else is looked at: a spent one is no place to try signatures.
  const wrong = { ...answer, signature: otherWallet.sign(answer.message) };
  await assert.rejects(verifyWalletSignIn(world, wrong), refusedAs('nonce_used'));
  const accounts = await world.metadata.listAccounts({ after: undefined, limit: 10 });
  assert.equal(accounts.length, 1);
});

test('two first sign-ins of one wallet at once open one account', async () => {
  const world = await openIdentityWorld();
  const answers = [await answerOf(world), await answerOf(world)];
  await Promise.all(answers.map((answer) => verifyWalletSignIn(world, answer)));
  assert.equal((await world.metadata.listAccounts({ after: undefined, limit: 10 })).length, 1);
});

test('a nonce is good until its five minutes are over', async () => {
  const world = await openIdentityWorld();
  const [inTime, late] = [await answerOf(world), await answerOf(world)];
  world.clock.advance(NONCE_LIFE_MS - 1);
  await verifyWalletSignIn(world, inTime);
  world.clock.advance(1);
  await assert.rejects(verifyWalletSignIn(world, late), refusedAs('nonce_expired'));
  await assert.rejects(verifyWalletSignIn(world, inTime), refusedAs('nonce_expired'));
});

test('a nonce never issued, malformed, or issued to another wallet is unknown', async () => {
  const world = await openIdentityWorld();
  const answer = await answerOf(world);
  const foreign = { ...answer, wallet: otherWallet.address };
  const foreignSigned = { ...foreign, signature: otherWallet.sign(answer.message) };
  for (const bad of [
    { ...answer, nonce: encodeBase58(new Uint8Array(16).fill(7)) },
    { ...answer, nonce: encodeBase58(new Uint8Array(30).fill(7)) },
    { ...answer, nonce: encodeBase58(new Uint8Array(30).fill(255)) },
    { ...answer, nonce: '' },
    { ...answer, nonce: '0OIl' },
    { ...answer, nonce: 'x'.repeat(10_000) },
    foreign,
    foreignSigned,
  ]) {
    await assert.rejects(verifyWalletSignIn(world, bad), refusedAs('nonce_unknown'));
  }
  await verifyWalletSignIn(world, answer);
});

test('a message changed in any way is refused, although its signature is good', async () => {
  const world = await openIdentityWorld();
  const changes = [
    (text: string) => `${text}\n`,
    (text: string) => text.replaceAll('\n', '\r\n'),
    (text: string) => text.replace('store.example', 'evil.example'),
    (text: string) => text.replace('03:09:05', '23:09:05'),
  ];
  for (const change of changes) {
    const answer = await answerOf(world);
    const message = change(answer.message);
    assert.notEqual(message, answer.message);
    await assert.rejects(
      verifyWalletSignIn(world, { ...answer, message, signature: wallet.sign(message) }),
      refusedAs('signature_invalid'),
    );
  }
});

test('a signature by another wallet or of another form is refused', async () => {
  const world = await openIdentityWorld();
  const byOther = await answerOf(world, otherWallet);
  await assert.rejects(verifyWalletSignIn(world, byOther), refusedAs('signature_invalid'));
  const good = await answerOf(world);
  for (const signature of [
    '',
    '====',
    'not base64!',
    good.signature.slice(4),
    `${good.signature}AA`,
  ]) {
    const answer = await answerOf(world);
    await assert.rejects(
      verifyWalletSignIn(world, { ...answer, signature }),
      refusedAs('signature_invalid'),
    );
  }
});

test('no byte of a nonce may be another, and no nonce serves another text', async () => {
  const world = await openIdentityWorld();
  const answer = await answerOf(world);
  const bytes = decodeBase58(answer.nonce, 30) ?? assert.fail();
  for (const at of bytes.keys()) {
    const nonce = encodeBase58(bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)));
    const message = answer.message.replace(answer.nonce, nonce);
    const forged = { ...answer, nonce, message, signature: wallet.sign(message) };
    await assert.rejects(verifyWalletSignIn(world, forged), refusedAs('nonce_unknown'));
  }
  const next = await answerOf(world);
  const swapped = { ...answer, message: next.message, signature: next.signature };
  await assert.rejects(verifyWalletSignIn(world, swapped), refusedAs('signature_invalid'));
  const elsewhere = { ...world, site: { ...world.site, domain: 'evil.example' } };
  await assert.rejects(verifyWalletSignIn(elsewhere, answer), refusedAs('nonce_unknown'));
  await verifyWalletSignIn(world, answer);
});

test('wrong answers do not burn a nonce for who has the right one', async () => {
  const world = await openIdentityWorld();
  const answer = await answerOf(world);
  const wrong = { ...answer, signature: otherWallet.sign(answer.message) };
  for (let failure = 0; failure < 20; failure += 1) {
    await assert.rejects(verifyWalletSignIn(world, wrong), refusedAs('signature_invalid'));
  }
  await verifyWalletSignIn(world, answer);
});

test('a challenge of the master key before is answered, one of a key that is gone is not', async () => {
  const world = await openIdentityWorld();
  const answer = await answerOf(world);
  const newLine = newMasterKeyLine(world.random.bytes(MASTER_KEY_RANDOM_BYTES));
  const onlyNew = { ...world, keyring: keyringOf(parseMasterKeys(newLine)) };
  await assert.rejects(verifyWalletSignIn(onlyNew, answer), refusedAs('nonce_unknown'));
  const both = { ...world, keyring: keyringOf(parseMasterKeys(`${world.keyLine}\n${newLine}`)) };
  await verifyWalletSignIn(both, answer);
  const next = await answerOf(both);
  await verifyWalletSignIn(onlyNew, next);
});

test('a hardware wallet signs an envelope of the text, and of nothing else', async () => {
  const world = await openIdentityWorld();
  const { publicKey } = wallet;
  const envelopesOf = (text: string) => offchainEnvelopes(Buffer.from(text), publicKey);
  const { message: sample } = await answerOf(world);
  for (const index of envelopesOf(sample).keys()) {
    const answer = await answerOf(world);
    const signed = (text: string) => ({
      ...answer,
      signature: wallet.sign(envelopesOf(text)[index] ?? assert.fail()),
    });
    const other = signed(`${answer.message} `);
    await assert.rejects(verifyWalletSignIn(world, other), refusedAs('signature_invalid'));
    await verifyWalletSignIn(world, signed(answer.message));
  }
  const answer = await answerOf(world);
  for (const change of [
    (envelope: Buffer) => envelope.subarray(1),
    (envelope: Buffer) => Buffer.concat([envelope, Buffer.of(0)]),
    // A domain that an application gave itself, and a third version.
    (envelope: Buffer) => envelope.fill(1, 17, 49),
    (envelope: Buffer) => envelope.fill(2, 16, 17),
  ]) {
    const [envelope = assert.fail()] = envelopesOf(answer.message);
    const signature = wallet.sign(change(Buffer.from(envelope)));
    const wrong = { ...answer, signature };
    await assert.rejects(verifyWalletSignIn(world, wrong), refusedAs('signature_invalid'));
  }
});

test('addresses that nobody can sign for are refused as no wallets', async () => {
  const world = await openIdentityWorld();
  const lowOrder = [
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ].map((key) => encodeBase58(new Uint8Array(Buffer.from(key, 'hex'))));
  const offCurve = '6dM4TqWyWJsbx7obrdLcviBkTafD5E8av61zfU6jq57X';
  const malformed = ['', '0', wallet.address.slice(1), `${wallet.address}1`, `1${wallet.address}`];
  for (const address of [...lowOrder, offCurve, ...malformed, ` ${wallet.address}`]) {
    assert.throws(
      () => issueWalletChallenge(world, { wallet: address }),
      refusedAs('wallet_invalid'),
    );
  }
  assert(lowOrder.includes('1'.repeat(32)), "the system program's address is one of them");
});

test('any text is a wallet address or refused as one', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      try {
        parseWalletAddress(text);
      } catch (error) {
        assert(isServiceError(error, 'wallet_invalid'));
      }
    }),
  );
});

test('any answer is refused by an operating error', async () => {
  const world = await openIdentityWorld();
  const answer = await answerOf(world);
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), fc.string(), async (nonce, message, signature) => {
      for (const bad of [{ nonce }, { message }, { signature }]) {
        await assert.rejects(verifyWalletSignIn(world, { ...answer, ...bad }), isServiceError);
      }
    }),
    { numRuns: 30 },
  );
});

test('asking, however often, keeps nothing and shuts nobody out', async () => {
  const world = await openIdentityWorld();
  const answer = await answerOf(world);
  const nonces = new Set<string>();
  for (let count = 0; count < 10_001; count += 1) {
    nonces.add(issueWalletChallenge(world, { wallet: otherWallet.address }).nonce);
  }
  assert.equal(nonces.size, 10_001);
  await verifyWalletSignIn(world, answer);
  await verifyWalletSignIn(world, await answerOf(world));
});

test('a closed service lets in who has an account, and an allow-list whom it names', async () => {
  const world = await openIdentityWorld();
  await signIn(world, wallet);
  const closed = { ...world, signUpPolicy: { kind: 'closed' } } as const;
  await signIn(closed, wallet);
  await assert.rejects(signIn(closed, otherWallet), refusedAs('signup_closed'));
  const wallets = [otherWallet.address];
  const listed = { ...world, signUpPolicy: { kind: 'allowlist', wallets, emails: [] } } as const;
  await signIn(listed, otherWallet);
  await assert.rejects(signIn(listed, walletOf('third')), refusedAs('signup_closed'));
});

test('the wallet of a disabled account cannot sign in', async () => {
  const world = await openIdentityWorld();
  const { accountId } = await principalBy(world, (await signIn(world, wallet)).accessToken);
  await disableAccount(world, { actor: 'admin', accountId });
  await assert.rejects(signIn(world, wallet), refusedAs('account_disabled'));
});
