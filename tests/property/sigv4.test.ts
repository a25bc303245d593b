/**
 * Proves that what Signature Version 4 signs it verifies, for any path, query and headers; that a
 * change of any signed part is noticed, and that no text makes its parsers fail otherwise than by
 * their own error.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAmzDate, parseAmzDate } from '../../src/kit/sigv4/amz-date.ts';
import { parseAuthorization } from '../../src/kit/sigv4/authorization.ts';
import { canonicalRequest } from '../../src/kit/sigv4/canonical-request.ts';
import { formatCredential, parseCredential } from '../../src/kit/sigv4/credential-scope.ts';
import { decodePercent } from '../../src/kit/sigv4/percent.ts';
import { presignUrl } from '../../src/kit/sigv4/presign-url.ts';
import { hasPresignedQuery, parsePresignedQuery } from '../../src/kit/sigv4/presigned-query.ts';
import { signRequest } from '../../src/kit/sigv4/sign-request.ts';
import { SigV4Error } from '../../src/kit/sigv4/sigv4-error.ts';
import { runsOf } from '../world/effort.ts';
import {
  headerOf,
  isSignedInHeader,
  isSignedInQuery,
  splitTarget,
  type WireRequest,
} from '../world/signed-requests.ts';

const PROPERTY = { numRuns: runsOf({ short: 1000, long: 50_000 }) };
const AT = { atMs: Date.UTC(2026, 0, 1, 12, 30, 15) };

const word = (letters: string, minLength: number, maxLength = 12) =>
  fc.string({ unit: fc.constantFrom(...letters), minLength, maxLength });
const signer = fc.record({
  accessKeyId: word('AKPFaz09-_.=', 1),
  secret: word('abcXYZ019+/=', 1, 80),
  region: word('abc-1', 0),
  service: fc.constant('s3'),
});
/** Bytes as latin1, with what is special to a URL among them. */
const bytesText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'/?&=+%; .~-_#'),
    fc.nat(255).map((byte) => String.fromCharCode(byte)),
  ),
  maxLength: 12,
});
const headerValue = fc.string({
  unit: fc.constantFrom(...'  \tab,;="\u00a0\u00e9\u00ff'),
  maxLength: 12,
});
const model = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'HEAD', 'DELETE', 'POST'),
  path: bytesText,
  query: fc.array(fc.tuple(bytesText, bytesText), { maxLength: 5 }),
  headers: fc.array(
    fc.tuple(fc.constantFrom('X-Amz-Meta-a', 'x-amz-meta-A', 'Range'), headerValue),
    {
      maxLength: 16,
    },
  ),
  payloadHash: word('0123456789abcdef', 1),
});
type Model = typeof model extends fc.Arbitrary<infer M> ? M : never;
/** How a byte is spelled, so that equal requests are written in several ways. */
const spelling = fc.infiniteStream(fc.constantFrom('upper', 'lower', 'plain'));

function encoded(text: string, plainLetters: RegExp, spellings: Iterator<string>): string {
  return Array.from(text, (letter) => {
    const how = spellings.next().value;
    if (how === 'plain' && plainLetters === IN_QUERY && letter === ' ') return '+';
    if (how === 'plain' && plainLetters.test(letter)) return letter;
    const hex = letter.charCodeAt(0).toString(16).padStart(2, '0');
    return `%${how === 'upper' ? hex.toUpperCase() : hex}`;
  }).join('');
}

const IN_PATH = /[^%?#\s]/;
/** Without the plus, which is a space there. */
const IN_QUERY = /[^%&=#\s+]/;

function requestOf(
  { method, path, query, headers, payloadHash }: Model,
  spellings: Iterator<string>,
) {
  const pairs = query.map(([name, value]) => {
    const valueText = encoded(value, IN_QUERY, spellings);
    return `${encoded(name, IN_QUERY, spellings)}=${valueText}`;
  });
  return {
    method,
    rawPath: `/${encoded(path, IN_PATH, spellings)}`,
    rawQuery: pairs.join('&'),
    rawHeaders: ['Host', 'localhost:9000', ...headers.flat()],
    payloadHash,
  };
}

function wireOf(
  { method, rawPath, rawQuery }: ReturnType<typeof requestOf>,
  rawHeaders: readonly string[],
): WireRequest {
  return { method, target: rawQuery === '' ? rawPath : `${rawPath}?${rawQuery}`, rawHeaders };
}

test('what is signed in a header is verified, however path and query are spelled', () => {
  fc.assert(
    fc.property(model, signer, spelling, (plain, by, spellings) => {
      const request = requestOf(plain, spellings);
      const { rawHeaders } = signRequest(by, request, AT);
      assert(isSignedInHeader(wireOf(request, rawHeaders), by.secret));
      const other = requestOf({ ...plain, query: plain.query.toReversed() }, spellings);
      assert(isSignedInHeader(wireOf(other, rawHeaders), by.secret));
      assert(!isSignedInHeader(wireOf(request, rawHeaders), `${by.secret}x`));
    }),
    PROPERTY,
  );
});

/** The text with one character changed to another that means something else. */
function changed(text: string, at: number): string {
  const index = at % (text.length || 1);
  const code = text.charCodeAt(index) || 0;
  const other = String.fromCharCode(code === 0x78 ? 0x79 : 0x78);
  return text.slice(0, index) + other + text.slice(index + 1);
}

/** Spells every byte in the same way, so that a difference is one of the bytes. */
function* uniform(): Generator<string> {
  for (;;) yield 'upper';
}

const CHANGES: Readonly<Record<string, (plain: Model, at: number) => Model>> = {
  method: (plain) => ({ ...plain, method: plain.method === 'GET' ? 'HEAD' : 'GET' }),
  path: (plain, at) => ({ ...plain, path: changed(plain.path, at) }),
  'a name of the query': (plain, at) => ({
    ...plain,
    query: plain.query.map(([name, value], index) =>
      index === at % plain.query.length ? [changed(name, at), value] : [name, value],
    ),
  }),
  'a value of the query': (plain, at) => ({
    ...plain,
    query: plain.query.map(([name, value], index) =>
      index === at % plain.query.length ? [name, changed(value, at)] : [name, value],
    ),
  }),
  'a further parameter': (plain) => ({ ...plain, query: [...plain.query, ['a', '']] }),
  'a header': (plain, at) => ({
    ...plain,
    headers: plain.headers.map(([name, value], index) => [
      name,
      index === at % plain.headers.length ? `${value}x` : value,
    ]),
  }),
};

test('a change of any part of a request is noticed', () => {
  fc.assert(
    fc.property(
      model,
      signer,
      fc.constantFrom(...Object.keys(CHANGES)),
      fc.nat(),
      (plain, by, part, at) => {
        const other = CHANGES[part]?.(plain, at) ?? plain;
        if (part === 'a header' && plain.headers.length === 0) return;
        if (/query$/.test(part) && plain.query.length === 0) return;
        const signed = signRequest(by, requestOf(plain, uniform()), AT).rawHeaders;
        const request = requestOf(other, uniform());
        const wire = wireOf(request, [
          ...request.rawHeaders,
          ...signed.slice(request.rawHeaders.length),
        ]);
        assert(!isSignedInHeader(wire, by.secret), `${part} is not signed`);
      },
    ),
    PROPERTY,
  );
});

test('a change of any character of the signature headers is noticed', () => {
  fc.assert(
    fc.property(
      model,
      signer,
      fc.constantFrom('authorization', 'x-amz-date', 'x-amz-content-sha256', 'host'),
      fc.nat(),
      (plain, by, name, at) => {
        const request = requestOf(plain, uniform());
        const { rawHeaders } = signRequest(by, request, AT);
        const value = headerOf(rawHeaders, name);
        const other = changed(value, at);
        const accessKeyId = [value.indexOf('=') + 1, value.indexOf('/')] as const;
        const index = at % value.length;
        const isKeyId = index >= accessKeyId[0] && index < accessKeyId[1];
        // The access key id is not signed: it says whose secret it is that must fit.
        if (name === 'authorization' && isKeyId) return;
        const wire = wireOf(
          request,
          rawHeaders.map((text) => (text === value ? other : text)),
        );
        const wasNoticed = noticed(() => isSignedInHeader(wire, by.secret));
        assert(wasNoticed, `${value} became ${other}`);
      },
    ),
    PROPERTY,
  );
});

function noticed(isSigned: () => boolean): boolean {
  try {
    return !isSigned();
  } catch (error) {
    assert(error instanceof SigV4Error, String(error));
    return true;
  }
}

test('a presigned URL is verified, and a change of any character of its query is noticed', () => {
  fc.assert(
    fc.property(model, signer, fc.nat(604_800), fc.nat(), (plain, by, expiresSeconds, at) => {
      const { method, rawPath, rawHeaders } = requestOf(plain, uniform());
      const url = presignUrl(
        by,
        {
          ...{ method, rawPath, expiresSeconds, origin: 'http://localhost:9000' },
          query: plain.query.map(([name, value]) => [`q${name}`, value]),
          rawHeaders: rawHeaders.slice(2),
        },
        AT,
      );
      const target = url.slice('http://localhost:9000'.length);
      const { rawQuery } = splitTarget(target);
      assert(hasPresignedQuery(rawQuery));
      assert.equal(parsePresignedQuery(rawQuery).expiresSeconds, expiresSeconds);
      assert.equal(parsePresignedQuery(rawQuery).signedAtMs, AT.atMs);
      assert(isSignedInQuery({ method, target, rawHeaders }, by.secret));

      const start = target.length - rawQuery.length;
      const other = target.slice(0, start) + changed(rawQuery, at);
      if (meansTheSame(target, other, by.accessKeyId)) return;
      const wasNoticed = noticed(() =>
        isSignedInQuery({ method, target: other, rawHeaders }, by.secret),
      );
      assert(wasNoticed, `${target} became ${other}`);
    }),
    PROPERTY,
  );
});

/** Whether two targets differ in spelling or in the access key id alone, which is not signed. */
function meansTheSame(one: string, other: string, accessKeyId: string): boolean {
  const from = /X-Amz-Credential=(.*?)%2F/.exec(one);
  const to = /X-Amz-Credential=(.*?)%2F/.exec(other);
  if (from?.[1] !== to?.[1] && decodePercent(from?.[1] ?? '') === accessKeyId) {
    return (
      one.replace(/X-Amz-Credential=.*?%2F/, '') === other.replace(/X-Amz-Credential=.*?%2F/, '')
    );
  }
  return false;
}

const scrap = fc.oneof(
  fc.constantFrom('AWS4-HMAC-SHA256', ' ', ',', '=', ';', '/', '&', '%', '%2F', '%zz', '\n', '\0'),
  fc.constantFrom('Credential=', 'SignedHeaders=', 'Signature=', 'AK/20260101/r/s3/aws4_request'),
  fc.constantFrom('X-Amz-Algorithm=', 'X-Amz-Credential=', 'X-Amz-Date=', 'X-Amz-Expires='),
  fc.constantFrom('X-Amz-SignedHeaders=', 'X-Amz-Signature=', '20260101T000000Z', 'host', '60'),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const garbage = fc.array(scrap, { maxLength: 24 }).map((scraps) => scraps.join(''));
const header = fc
  .tuple(fc.constantFrom('AWS4-HMAC-SHA256 ', ''), garbage)
  .map((parts) => parts.join(''));

test('any text is read as a signature or refused by the error of its own', () => {
  fc.assert(
    fc.property(header, garbage, (text, query) => {
      noticed(() => parseAuthorization(text).signedHeaders.length > 0);
      noticed(() => parsePresignedQuery(query).expiresSeconds >= 0);
      noticed(() => parseCredential(text).date.length === 8);
      assert.equal(typeof hasPresignedQuery(query), 'boolean');
      const ms = parseAmzDate(query);
      assert(ms === undefined || formatAmzDate(ms) === query);
    }),
    PROPERTY,
  );
});

test('the canonical request of any bytes is encoded once, and is its own canonical form', () => {
  fc.assert(
    fc.property(garbage, garbage, fc.array(headerValue), (path, query, values) => {
      const rawHeaders = values.flatMap((value) => ['h', value]);
      const parts = {
        ...{ method: 'GET', rawPath: `/${path}`, rawQuery: query.replaceAll('?', ''), rawHeaders },
        ...{ signedHeaders: ['h'], payloadHash: 'x', isPresigned: false },
      };
      const canonical = canonicalRequest(parts);
      const [, rawPath = '', rawQuery = '', line = ''] = canonical.split('\n');
      assert.match(rawPath, /^(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/);
      assert.match(rawQuery, /^(?:[A-Za-z0-9\-._~&=]|%[0-9A-F]{2})*$/);
      assert.doesNotMatch(line, /^h:[ \t]| {2}|\t|[ \t]$/);
      const again = { ...parts, rawPath, rawQuery, rawHeaders: ['h', line.slice(2)] };
      assert.equal(canonicalRequest(again), canonical);
    }),
    PROPERTY,
  );
});

test('a credential and an instant are read as they were written', () => {
  const day = word('0123456789', 8, 8);
  fc.assert(
    fc.property(signer, day, fc.integer({ min: 0, max: 253_402_300_799 }), (by, date, second) => {
      const scope = { accessKeyId: by.accessKeyId, date, region: by.region, service: by.service };
      assert.deepEqual(parseCredential(formatCredential(scope)), scope);
      assert.equal(parseAmzDate(formatAmzDate(second * 1000)), second * 1000);
    }),
    PROPERTY,
  );
});
