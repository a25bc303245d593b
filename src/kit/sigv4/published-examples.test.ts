/**
 * Proves that signatures are those which the authors of Signature Version 4 publish: the examples
 * of the Amazon S3 API reference, "Authenticating Requests (AWS Signature Version 4)".
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { canonicalRequest } from './canonical-request.ts';
import { chunkSignature } from './chunk-signature.ts';
import { formatScope } from './credential-scope.ts';
import { isPolicySigned } from './post-policy.ts';
import { presignUrl } from './presign-url.ts';
import { EMPTY_SHA256, signature, stringToSign } from './sign.ts';
import { scopeOf } from './sign-request.ts';
import { deriveSigningKey } from './signing-key.ts';

const SIGNER = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  service: 's3',
};
const AMZ_DATE = '20130524T000000Z';
const SCOPE = scopeOf(SIGNER, AMZ_DATE);
const KEY = deriveSigningKey(SCOPE, SIGNER.secret);
const HOST = ['Host', 'examplebucket.s3.amazonaws.com'];

function signed(request: {
  readonly line: `${string} ${string}`;
  readonly headers: readonly string[];
  readonly payloadHash?: string;
}): string {
  const [method = '', target = ''] = request.line.split(' ');
  const [rawPath = '', rawQuery = ''] = target.split('?');
  const payloadHash = request.payloadHash ?? EMPTY_SHA256;
  const rawHeaders = [
    ...request.headers,
    ...['x-amz-date', AMZ_DATE, 'x-amz-content-sha256', payloadHash],
  ];
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const canonical = canonicalRequest({
    method,
    rawPath,
    rawQuery,
    rawHeaders,
    signedHeaders: names.sort(),
    payloadHash,
    isPresigned: false,
  });
  return signature(KEY, stringToSign({ amzDate: AMZ_DATE, scope: formatScope(SCOPE), canonical }));
}

test('a GET of a range', () => {
  assert.equal(
    signed({ line: 'GET /test.txt', headers: [...HOST, 'Range', 'bytes=0-9'] }),
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
});

test('a PUT of a key with a dollar sign, however it is written', () => {
  const headers = [
    ...HOST,
    ...['Date', 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class', 'REDUCED_REDUNDANCY'],
  ];
  const payloadHash = hash('sha256', 'Welcome to Amazon S3.', 'hex');
  for (const line of ['PUT /test$file.text', 'PUT /test%24file.text', 'PUT /%74est$file.text']) {
    assert.equal(
      signed({ line: line as 'PUT /', headers, payloadHash }),
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    );
  }
});

test('queries with and without values', () => {
  for (const line of ['GET /?lifecycle', 'GET /?lifecycle=', 'GET ?&lifecycle&'] as const) {
    assert.equal(
      signed({ line, headers: HOST }),
      'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
    );
  }
  for (const line of ['GET /?max-keys=2&prefix=J', 'GET /?prefix=%4A&max-keys=2'] as const) {
    assert.equal(
      signed({ line, headers: HOST }),
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    );
  }
});

test('a presigned URL', () => {
  const url = presignUrl(
    SIGNER,
    {
      method: 'GET',
      origin: 'https://examplebucket.s3.amazonaws.com',
      rawPath: '/test.txt',
      expiresSeconds: 86_400,
    },
    { atMs: Date.UTC(2013, 4, 24) },
  );
  assert.equal(
    new URL(url).searchParams.get('X-Amz-Signature'),
    'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
  );
});

test('a body in signed chunks', () => {
  const seed = signed({
    line: 'PUT /examplebucket/chunkObject.txt',
    headers: [
      ...['Host', 's3.amazonaws.com', 'Content-Encoding', 'aws-chunked'],
      ...['Content-Length', '66824', 'x-amz-decoded-content-length', '66560'],
      ...['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
    ],
    payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  });
  assert.equal(seed, '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9');
  const signer = { signingKey: KEY, amzDate: AMZ_DATE, scope: formatScope(SCOPE) };
  const expected = [
    [65_536, 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'],
    [1024, '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'],
    [0, 'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'],
  ] as const;
  let previous = seed;
  for (const [sizeBytes, made] of expected) {
    previous = chunkSignature(signer, {
      previous,
      sha256: hash('sha256', 'a'.repeat(sizeBytes), 'hex'),
    });
    assert.equal(previous, made);
  }
});

test('the policy of a form', () => {
  // The example's lines end by CR LF, and are part of what is signed.
  const policy = [
    '{ "expiration": "2015-12-30T12:00:00.000Z",',
    '  "conditions": [',
    '    {"bucket": "sigv4examplebucket"},',
    '    ["starts-with", "$key", "user/user1/"],',
    '    {"acl": "public-read"},',
    '    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},',
    '    ["starts-with", "$Content-Type", "image/"],',
    '    {"x-amz-meta-uuid": "14365123651274"},',
    '    {"x-amz-server-side-encryption": "AES256"},',
    '    ["starts-with", "$x-amz-meta-tag", ""],',
    '',
    '    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},',
    '    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},',
    '    {"x-amz-date": "20151229T000000Z" }',
    '  ]',
    '}',
  ].join('\r\n');
  const key = deriveSigningKey({ ...SCOPE, date: '20151229' }, SIGNER.secret);
  const fields = {
    policy: Buffer.from(policy).toString('base64'),
    'x-amz-signature': '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
  };
  assert(isPolicySigned(key, fields));
  assert(!isPolicySigned(KEY, fields));
});
