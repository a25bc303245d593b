/** Proves that only our own, live tokens of the one algorithm are accepted. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { SignJWT } from 'jose';
import { seededRandom } from '../../tests/world/seeded-random.ts';
import { hasJwtForm, type JwtClaims, signJwt, verifyJwt } from './jwt.ts';
import {
  keyringOf,
  MASTER_KEY_RANDOM_BYTES,
  newMasterKeyLine,
  parseMasterKeys,
} from './keyring.ts';

const random = seededRandom('jwt');
const newLine = () => newMasterKeyLine(random.bytes(MASTER_KEY_RANDOM_BYTES));
const keyring = keyringOf(parseMasterKeys(newLine()));
const strange = keyringOf(parseMasterKeys(newLine()));
const key = keyring.newest('access');

const claims: JwtClaims = {
  issuer: 'https://store.example',
  audience: 'pinfold',
  subject: 'account',
  sessionId: 'session',
  tokenId: 'token',
  issuedAtMs: 1_700_000_000_000,
  expiresAtMs: 1_700_000_900_000,
};

const expected = {
  findKey: (kid: string) => keyring.find('access', kid),
  issuer: claims.issuer,
  audience: claims.audience,
  nowMs: claims.issuedAtMs + 1000,
};

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a token says again what was signed', async () => {
  const token = await signJwt(claims, key);
  assert(hasJwtForm(token));
  assert.deepEqual(await verifyJwt(token, expected), claims);
});

test('a token is refused from the second it expires', async () => {
  const token = await signJwt(claims, key);
  assert(await verifyJwt(token, { ...expected, nowMs: claims.expiresAtMs - 1000 }));
  assert.equal(await verifyJwt(token, { ...expected, nowMs: claims.expiresAtMs }), undefined);
});

test('a token of another issuer or for another audience is refused', async () => {
  assert.equal(
    await verifyJwt(await signJwt({ ...claims, issuer: 'https://other' }, key), expected),
    undefined,
  );
  assert.equal(
    await verifyJwt(await signJwt({ ...claims, audience: 'other' }, key), expected),
    undefined,
  );
});

test('a token under another key is refused, with its key id or with ours', async () => {
  const other = strange.newest('access');
  for (const kid of [other.kid, key.kid]) {
    const token = await signJwt(claims, { kid, key: other.key });
    assert.equal(await verifyJwt(token, expected), undefined);
  }
  const otherPurpose = await signJwt(claims, keyring.newest('refresh'));
  assert.equal(await verifyJwt(otherPurpose, expected), undefined);
});

test('a token whose claims or header were changed is refused', async () => {
  const [header = '', payload = '', signature = ''] = (await signJwt(claims, key)).split('.');
  const read = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const changed = part({ ...read, sub: 'other' });
  for (const token of [
    `${header}.${changed}.${signature}`,
    `${part({ alg: 'HS256', kid: key.kid })}.${payload}.${signature}`,
    `${header}.${payload}.`,
    `${header}.${payload}.${signature.slice(0, -2)}`,
  ]) {
    assert.equal(await verifyJwt(token, expected), undefined);
  }
});

test('the algorithms none, HS512 and EdDSA are refused', async () => {
  const payload = { iss: claims.issuer, aud: claims.audience, sub: 'a', sid: 's', jti: 'j' };
  const times = { iat: 1_700_000_000, exp: 1_700_000_900 };
  const body = part({ ...payload, ...times });
  for (const alg of ['none', 'None', 'NONE', 'HS256']) {
    const token = `${part({ alg, kid: key.kid })}.${body}.`;
    assert.equal(await verifyJwt(token, expected), undefined, alg);
  }
  const hs512 = await new SignJWT({ ...payload, ...times })
    .setProtectedHeader({ alg: 'HS512', kid: key.kid })
    .sign(Buffer.concat([key.key.export(), key.key.export()]));
  const { privateKey } = generateKeyPairSync('ed25519');
  const eddsa = await new SignJWT({ ...payload, ...times })
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid })
    .sign(privateKey);
  assert.equal(await verifyJwt(hs512, expected), undefined);
  assert.equal(await verifyJwt(eddsa, expected), undefined);
});

test('a token without a claim, with an odd one, or without a key id is refused', async () => {
  const full = { iss: claims.issuer, aud: claims.audience, sub: 'a', sid: 's', jti: 'j' };
  const times = { iat: 1_700_000_000, exp: 1_700_000_900 };
  const sign = (payload: Record<string, unknown>, kid: string | undefined) =>
    new SignJWT(payload)
      .setProtectedHeader({ alg: 'HS256', ...(kid === undefined ? {} : { kid }) })
      .sign(key.key);
  assert(await verifyJwt(await sign({ ...full, ...times }, key.kid), expected));
  assert.equal(await verifyJwt(await sign({ ...full, ...times }, undefined), expected), undefined);
  for (const claim of ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'exp']) {
    const { [claim]: _, ...rest } = { ...full, ...times } as Record<string, unknown>;
    assert.equal(await verifyJwt(await sign(rest, key.kid), expected), undefined, claim);
    const odd = { ...full, ...times, [claim]: { odd: true } };
    assert.equal(await verifyJwt(await sign(odd, key.kid), expected), undefined, claim);
  }
});

test('any text is refused without a throw', async () => {
  const dotted = fc
    .tuple(fc.base64String(), fc.base64String(), fc.base64String())
    .map((parts) => parts.join('.').replaceAll(/[=+/]/g, '_'));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), dotted), async (text) => {
      assert.equal(await verifyJwt(text, expected), undefined);
    }),
  );
  assert.equal(hasJwtForm(`${'a'.repeat(5000)}.b.c`), false);
});
