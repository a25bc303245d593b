/**
 * Proves that the Authorization header and the query of a presigned URL are read in every form that
 * clients write, and that each fault has its own kind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAuthorization } from './authorization.ts';
import { hasPresignedQuery, parsePresignedQuery } from './presigned-query.ts';
import { findUnsignedHeaders } from './signed-headers.ts';
import { SigV4Error, type SigV4ErrorKind } from './sigv4-error.ts';

const CREDENTIAL = 'PF1/20260101/auto/s3/aws4_request';
const SIGNATURE = 'ab'.repeat(32);
const SCOPE = { accessKeyId: 'PF1', date: '20260101', region: 'auto', service: 's3' };

function assertRefused(kind: SigV4ErrorKind, read: (text: string) => unknown, text: string): void {
  assert.throws(
    () => read(text),
    (error) => {
      assert(error instanceof SigV4Error, String(error));
      assert.equal(error.kind, kind, text);
      assert(!error.message.includes('PF1') && !error.message.includes(SIGNATURE));
      return true;
    },
  );
}

test('an authorization is read with and without spaces, its parts in any order', () => {
  const parts = [
    `Credential=${CREDENTIAL}`,
    'SignedHeaders=host;x-amz-date',
    `Signature=${SIGNATURE}`,
  ];
  const texts = [
    `AWS4-HMAC-SHA256 ${parts.join(', ')}`,
    `AWS4-HMAC-SHA256 ${parts.join(',')}`,
    `AWS4-HMAC-SHA256  ${parts.toReversed().join(' ,\t')} `,
  ];
  for (const text of texts) {
    assert.deepEqual(parseAuthorization(text), {
      scope: SCOPE,
      signedHeaders: ['host', 'x-amz-date'],
      signature: SIGNATURE,
    });
  }
});

test('regions may be any text, or none', () => {
  const regionOf = (credential: string) =>
    parseAuthorization(`AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=a,Signature=b`)
      .scope.region;
  assert.equal(regionOf('PF1/20260101//s3/aws4_request'), '');
  assert.equal(
    regionOf('PF1/20260101/US west (1)!/s3/aws4_request'.replaceAll(' ', '_')),
    'US_west_(1)!',
  );
});

test('an authorization without the form is refused by what is wrong with it', () => {
  const read = (parts: Readonly<Record<string, string>>) =>
    `AWS4-HMAC-SHA256 ${Object.entries({
      Credential: CREDENTIAL,
      SignedHeaders: 'host',
      Signature: SIGNATURE,
      ...parts,
    })
      .filter(([, value]) => value !== 'none')
      .map((pair) => pair.join('='))
      .join(', ')}`;
  const refusals: readonly (readonly [SigV4ErrorKind, string])[] = [
    ['wrong_algorithm', ''],
    ['wrong_algorithm', 'AWS PF1:c2lnbmF0dXJl'],
    ['wrong_algorithm', 'AWS4-HMAC-SHA256'],
    ['wrong_algorithm', 'AWS4-HMAC-SHA2567 Credential=a'],
    ['wrong_algorithm', 'AWS4-ECDSA-P256-SHA256 Credential=a'],
    ['malformed', 'AWS4-HMAC-SHA256 '],
    ['malformed', `${read({})},`],
    ['malformed', `${read({})}, Signature=${SIGNATURE}`],
    ['malformed', read({ Nonce: '1' })],
    ['malformed', read({ SignedHeaders: 'a,b' })],
    ['malformed', read({ Signature: 'a'.repeat(9000) })],
    ['missing_part', read({ Credential: 'none' })],
    ['missing_part', read({ SignedHeaders: 'none' })],
    ['missing_part', read({ Signature: 'none' })],
    ['missing_part', read({ Signature: '' })],
    ['bad_credential', read({ Credential: 'PF1' })],
    ['bad_credential', read({ Credential: CREDENTIAL.replace('PF1', '') })],
    ['bad_credential', read({ Credential: CREDENTIAL.replace('20260101', '2026-01-01') })],
    ['bad_credential', read({ Credential: CREDENTIAL.replace('aws4_request', 'aws5_request') })],
    ['bad_credential', read({ Credential: `${CREDENTIAL}/` })],
    ['bad_credential', read({ Credential: CREDENTIAL.replace('auto', 'a/b') })],
    ['bad_credential', read({ Credential: CREDENTIAL.replace('auto', 'a\u00e9') })],
    ['bad_credential', read({ Credential: CREDENTIAL.replace('auto', 'a'.repeat(300)) })],
    ['bad_signed_headers', read({ SignedHeaders: 'Host' })],
    ['bad_signed_headers', read({ SignedHeaders: 'host;' })],
    ['bad_signed_headers', read({ SignedHeaders: 'host;;date' })],
    ['bad_signed_headers', read({ SignedHeaders: 'ho st' })],
    ['bad_signed_headers', read({ SignedHeaders: Array(257).fill('a').join(';') })],
  ];
  for (const [kind, text] of refusals) assertRefused(kind, parseAuthorization, text);
});

const QUERY = {
  'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
  'X-Amz-Credential': CREDENTIAL.replaceAll('/', '%2F'),
  'X-Amz-Date': '20260101T123000Z',
  'X-Amz-Expires': '604800',
  'X-Amz-SignedHeaders': 'host%3Brange',
  'X-Amz-Signature': SIGNATURE,
};
const queryOf = (parts: Readonly<Record<string, string>>) =>
  Object.entries({ ...QUERY, ...parts })
    .filter(([, value]) => value !== 'none')
    .map((pair) => pair.join('='))
    .join('&');

test('a presigned query is read among other parameters', () => {
  const read = parsePresignedQuery(`x-id=GetObject&${queryOf({})}&X-Amz-Content-Sha256=ab%2b`);
  assert.deepEqual(read, {
    scope: SCOPE,
    signedHeaders: ['host', 'range'],
    signature: SIGNATURE,
    amzDate: '20260101T123000Z',
    signedAtMs: Date.UTC(2026, 0, 1, 12, 30),
    expiresSeconds: 604_800,
    contentSha256: 'ab+',
    securityToken: undefined,
  });
  assert.equal(parsePresignedQuery(queryOf({ 'X-Amz-Expires': '0' })).expiresSeconds, 0);
  const token = queryOf({ 'X-Amz-Security-Token': 'a%2Fb' });
  assert.equal(parsePresignedQuery(token).securityToken, 'a/b');
});

test('a query claims a signature by any of its three main names', () => {
  for (const query of ['X-Amz-Signature=', 'a&X-Amz-Credential', `b=1&${queryOf({})}`]) {
    assert(hasPresignedQuery(query), query);
  }
  for (const query of ['', 'X-Amz-Date=1', 'a=X-Amz-Signature', 'XX-Amz-Signature=1']) {
    assert(!hasPresignedQuery(query), query);
  }
});

test('a presigned query without the form is refused by what is wrong with it', () => {
  for (const name of Object.keys(QUERY)) {
    assertRefused('missing_part', parsePresignedQuery, queryOf({ [name]: 'none' }));
    assertRefused('missing_part', parsePresignedQuery, queryOf({ [name]: '' }));
    assertRefused('malformed', parsePresignedQuery, `${queryOf({})}&${name}=1`);
  }
  const refusals: readonly (readonly [SigV4ErrorKind, Readonly<Record<string, string>>])[] = [
    ['wrong_algorithm', { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA1' }],
    ['bad_credential', { 'X-Amz-Credential': 'PF1' }],
    ['bad_credential', { 'X-Amz-Credential': QUERY['X-Amz-Credential'].replace('auto', '%0A') }],
    ['bad_date', { 'X-Amz-Date': '20260102T000000Z' }],
    ['bad_date', { 'X-Amz-Date': '2026-01-01T00:00:00Z' }],
    ['bad_date', { 'X-Amz-Date': '20260101T246060Z' }],
    ['bad_expires', { 'X-Amz-Expires': '604801' }],
    ['bad_expires', { 'X-Amz-Expires': '-1' }],
    ['bad_expires', { 'X-Amz-Expires': '+1' }],
    ['bad_expires', { 'X-Amz-Expires': '1.5' }],
    ['bad_expires', { 'X-Amz-Expires': '1e3' }],
    ['bad_expires', { 'X-Amz-Expires': '9'.repeat(400) }],
    ['bad_signed_headers', { 'X-Amz-SignedHeaders': 'Host' }],
  ];
  for (const [kind, parts] of refusals) assertRefused(kind, parsePresignedQuery, queryOf(parts));
});

test('the host and every x-amz header must be signed', () => {
  const raw = [
    'Host',
    'a',
    'X-Amz-Date',
    '1',
    'x-amz-meta-a',
    '1',
    'X-AMZ-META-A',
    '2',
    'Range',
    '1',
  ];
  assert.deepEqual(findUnsignedHeaders(raw, ['host', 'x-amz-date', 'x-amz-meta-a']), []);
  assert.deepEqual(findUnsignedHeaders(raw, ['x-amz-date', 'range']), ['host', 'x-amz-meta-a']);
  assert.deepEqual(findUnsignedHeaders(['x-amzn-trace-id', '1'], ['host']), []);
});
