/** Proves what each credential may do with buckets and objects, and that it denies by default. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServiceError } from '../../errors.ts';
import type {
  AccessKeyId,
  AccountId,
  AccountSlug,
  BucketId,
  SessionId,
  TokenId,
} from '../../ids.ts';
import type { Credential, Principal, S3KeyCredential } from '../../principal.ts';
import { SCOPES } from '../../principal.ts';
import { authorize, isAuthorized } from './authorize.ts';
import {
  authorizeNewBucket,
  authorizeObjects,
  authorizeSomeObjects,
  canInspect,
  isListable,
  type ObjectAccess,
} from './authorize-objects.ts';

const ANN = 'ann' as AccountId;
const BOB = 'bob' as AccountId;
const HERS = { bucketId: 1 as BucketId, accountId: ANN, publicRead: false };
const HER_OTHER = { ...HERS, bucketId: 2 as BucketId };
const HIS = { bucketId: 3 as BucketId, accountId: BOB, publicRead: false };
const HIS_PUBLIC = { ...HIS, publicRead: true };

const ON_OBJECTS = ['read', 'inspect', 'write', 'delete', 'list'] as const;
const ON_BUCKETS = ['bucket.identify', 'bucket.read', 'bucket.write'] as const;
const EVERYTHING: readonly ObjectAccess[] = [...ON_OBJECTS, ...ON_BUCKETS];

function ann(credential: Credential): Principal {
  const slug = 'annannannann' as AccountSlug;
  return { accountId: ANN, slug, defaultBucketId: HERS.bucketId, role: 'user', credential };
}

function key(limits: Partial<S3KeyCredential> = {}): Principal {
  return ann({
    kind: 's3Key',
    accessKeyId: 'AAAABBBBCCCCDDDDEEEE' as AccessKeyId,
    isReadOnly: false,
    bucketId: undefined,
    prefix: undefined,
    ...limits,
  });
}

const session = ann({ kind: 'session', sessionId: 's' as SessionId });
const token = ann({ kind: 'token', tokenId: 't' as TokenId, scopes: new Set(SCOPES) });

/** What is let pass of everything, on `bucket` and `name`. */
function allowed(
  principal: Principal | undefined,
  bucket: Parameters<typeof authorizeObjects>[2],
  name?: string,
): readonly ObjectAccess[] {
  return EVERYTHING.filter((access) => {
    try {
      authorizeObjects(principal, access, bucket, name);
      return true;
    } catch (error) {
      assert(isServiceError(error, 'access_denied'));
      return false;
    }
  });
}

test('an owner may do everything in her buckets and nothing in those of others', () => {
  for (const principal of [session, ann({ kind: 'appKey' }), key()]) {
    assert.deepEqual(allowed(principal, HERS, 'k'), EVERYTHING);
    assert.deepEqual(allowed(principal, HER_OTHER, 'k'), EVERYTHING);
    assert.deepEqual(allowed(principal, HIS, 'k'), []);
    assert.deepEqual(allowed(principal, HIS_PUBLIC, 'k'), ['read']);
  }
});

test('nobody in particular reads what is public, and does nothing else', () => {
  assert.deepEqual(allowed(undefined, HIS, 'k'), []);
  assert.deepEqual(allowed(undefined, HIS_PUBLIC, 'k'), ['read']);
});

test('an API token reaches no bucket whatever its scopes are', () => {
  assert.deepEqual(allowed(token, HERS, 'k'), []);
  assert.deepEqual(allowed(token, HIS_PUBLIC, 'k'), []);
});

test('a key of one bucket is denied in every other, public ones too', () => {
  const limited = key({ bucketId: HERS.bucketId });
  assert.deepEqual(allowed(limited, HERS, 'k'), EVERYTHING);
  assert.deepEqual(allowed(limited, HER_OTHER, 'k'), []);
  assert.deepEqual(allowed(limited, HIS_PUBLIC, 'k'), []);
});

test('a key of a prefix stays inside it, and only knows that its bucket is there', () => {
  const limited = key({ bucketId: HERS.bucketId, prefix: 'a/b' });
  for (const name of ['a/b', 'a/b/', 'a/bc', 'a/b/c']) {
    assert.deepEqual(allowed(limited, HERS, name), [...ON_OBJECTS, 'bucket.identify'], name);
  }
  for (const name of ['', 'a/', 'a', 'A/b', ' a/b', 'b/a/b', undefined]) {
    assert.deepEqual(allowed(limited, HERS, name), ['bucket.identify'], String(name));
  }
  assert.deepEqual(allowed(limited, HER_OTHER, 'a/b'), []);
  assert.deepEqual(allowed(limited, HIS_PUBLIC, 'a/b'), []);
});

test('where no key is named yet, it suffices that there may be one to which they have access', () => {
  const some = (principal: Principal | undefined, bucket = HERS) =>
    ON_OBJECTS.filter((access) => {
      try {
        authorizeSomeObjects(principal, access, bucket);
        return true;
      } catch (error) {
        assert(isServiceError(error, 'access_denied'));
        return false;
      }
    });
  for (const principal of [session, key(), key({ prefix: '' }), key({ prefix: 'a/' })]) {
    assert.deepEqual(some(principal), ON_OBJECTS);
    assert.deepEqual(some(principal, HIS), []);
  }
  assert.deepEqual(some(key({ prefix: 'a/', isReadOnly: true })), ['read', 'inspect', 'list']);
  assert.deepEqual(some(key({ bucketId: HER_OTHER.bucketId, prefix: 'a/' })), []);
  assert.deepEqual(some(token), []);
  assert.deepEqual(some(undefined), []);
  assert.deepEqual(some(undefined, HIS_PUBLIC), ['read']);
});

test('a read-only key changes nothing', () => {
  const reads: readonly ObjectAccess[] = [
    'read',
    'inspect',
    'list',
    'bucket.identify',
    'bucket.read',
  ];
  assert.deepEqual(allowed(key({ isReadOnly: true }), HERS, 'k'), reads);
  const limited = key({ isReadOnly: true, bucketId: HERS.bucketId, prefix: 'k' });
  assert.deepEqual(allowed(limited, HERS, 'k'), ['read', 'inspect', 'list', 'bucket.identify']);
});

test('an empty prefix limits nothing', () => {
  assert.deepEqual(allowed(key({ prefix: '' }), HERS, 'k'), EVERYTHING);
});

test('only those who may list there are told that a key does not exist', () => {
  assert.equal(isListable(key(), HERS, 'k'), true);
  assert.equal(isListable(key({ prefix: 'a/' }), HERS, 'a/k'), true);
  assert.equal(isListable(key({ prefix: 'a/' }), HERS, 'k'), false);
  assert.equal(isListable(undefined, HIS_PUBLIC, 'k'), false);
  assert.equal(isListable(key(), HIS_PUBLIC, 'k'), false);
  assert.equal(canInspect(undefined, HIS_PUBLIC, 'k'), false);
  assert.equal(canInspect(key(), HERS, 'k'), true);
  assert.equal(canInspect(key({ prefix: 'a/' }), HERS, 'k'), false);
});

test('a bucket is made by an owner or by a key without limits', () => {
  for (const principal of [session, ann({ kind: 'appKey' }), key()]) authorizeNewBucket(principal);
  const limited = [
    key({ isReadOnly: true }),
    key({ bucketId: HERS.bucketId }),
    key({ prefix: 'a' }),
  ];
  for (const principal of [token, ...limited]) {
    assert.throws(
      () => authorizeNewBucket(principal),
      (error) => isServiceError(error, 'access_denied'),
    );
  }
});

test('an S3 key does nothing of what the other dialects offer', () => {
  for (const action of [
    'files.read',
    'account.identify',
    's3_keys.manage',
    'buckets.manage',
  ] as const) {
    assert.throws(
      () => authorize(key(), action, ANN),
      (error) => isServiceError(error, 'access_denied'),
    );
    assert.equal(isAuthorized(key(), action), false);
  }
});
