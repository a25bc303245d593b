/** What the core's refusals are called over S3: one row a code, held complete by the compiler. */
import type { ErrorCode, ServiceError } from '../../../core/errors.ts';
import type { S3Code } from './s3-codes.ts';
import { S3Refusal } from './s3-refusal.ts';

/** Codes that no S3 request can meet; one that does is our fault. */
const ELSEWHERE = 'InternalError';

const S3_OF_CORE: Readonly<Record<ErrorCode, S3Code>> = {
  unauthenticated: 'AccessDenied',
  credential_invalid: 'InvalidAccessKeyId',
  csrf_invalid: ELSEWHERE,
  missing_scope: 'AccessDenied',
  access_denied: 'AccessDenied',
  account_disabled: 'AccountProblem',
  signup_closed: ELSEWHERE,
  wallet_invalid: ELSEWHERE,
  nonce_unknown: ELSEWHERE,
  nonce_expired: ELSEWHERE,
  nonce_used: ELSEWHERE,
  signature_invalid: 'SignatureDoesNotMatch',
  refresh_invalid: ELSEWHERE,
  refresh_reused: ELSEWHERE,
  sign_in_failed: ELSEWHERE,
  username_invalid: ELSEWHERE,
  username_taken: ELSEWHERE,
  password_invalid: ELSEWHERE,
  password_already_set: ELSEWHERE,
  session_required: ELSEWHERE,
  session_current: ELSEWHERE,
  session_not_found: ELSEWHERE,
  invalid_key: 'InvalidArgument',
  invalid_bucket_name: 'InvalidBucketName',
  invalid_file_name: 'InvalidArgument',
  bucket_not_found: 'NoSuchBucket',
  bucket_exists: 'BucketAlreadyExists',
  bucket_owned: 'BucketAlreadyOwnedByYou',
  bucket_not_empty: 'BucketNotEmpty',
  default_bucket: 'AccessDenied',
  too_many_buckets: 'TooManyBuckets',
  object_not_found: 'NoSuchKey',
  object_exists: 'PreconditionFailed',
  precondition_failed: 'PreconditionFailed',
  range_not_satisfiable: 'InvalidRange',
  part_not_found: 'InvalidPartNumber',
  quota_exceeded: 'QuotaExceeded',
  // No code of S3's is meant for it; of this one SDKs do not try again what cannot succeed.
  too_many_uploads: 'InvalidRequest',
  too_many_links: ELSEWHERE,
  incomplete_body: 'IncompleteBody',
  body_too_slow: 'RequestTimeout',
  body_too_large: 'EntityTooLarge',
  digest_mismatch: 'BadDigest',
  upload_not_found: 'NoSuchUpload',
  invalid_part: 'InvalidPart',
  invalid_part_order: 'InvalidPartOrder',
  part_too_small: 'EntityTooSmall',
  checksum_missing: 'InvalidRequest',
  checksum_unfit: 'InvalidRequest',
  size_mismatch: 'InvalidRequest',
  operation_not_found: ELSEWHERE,
  link_not_found: ELSEWHERE,
  link_expired: ELSEWHERE,
  link_password_required: ELSEWHERE,
  link_password_wrong: ELSEWHERE,
  invalid_field: 'InvalidArgument',
  invalid_cursor: 'InvalidArgument',
  rate_limited: 'SlowDown',
  account_not_found: 'AccessDenied',
  token_not_found: ELSEWHERE,
  token_name_taken: ELSEWHERE,
  s3_key_not_found: ELSEWHERE,
  no_s3_key: ELSEWHERE,
  storage_full: 'InsufficientStorage',
  overloaded: 'SlowDown',
  read_only: 'ServiceUnavailable',
  corrupt: 'InternalError',
  unavailable: 'ServiceUnavailable',
  aborted: 'IncompleteBody',
};

/** The refusal that a client reads for `error`. */
export function refusalOf(error: ServiceError): S3Refusal {
  const { code, details } = error;
  if (code === 'precondition_failed') {
    return new S3Refusal('PreconditionFailed', undefined, {
      Condition: String(details['condition'] ?? ''),
    });
  }
  if (code === 'digest_mismatch') return digestRefusal(String(details['digest']));
  const wire = S3_OF_CORE[code];
  switch (wire) {
    case 'BadRequest':
    case 'InvalidArgument':
    case 'InvalidRequest':
      return new S3Refusal(wire, error.message);
    default:
      return new S3Refusal(wire, OWN_WORDS.has(code) ? error.message : undefined);
  }
}

/** Where the core says more than the code's own words do. */
const OWN_WORDS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'invalid_bucket_name',
  'default_bucket',
  'too_many_buckets',
  'quota_exceeded',
  'too_many_uploads',
  'storage_full',
]);

function digestRefusal(digest: string): S3Refusal {
  if (digest === 'sha256') return new S3Refusal('XAmzContentSHA256Mismatch');
  if (digest === 'md5') return new S3Refusal('BadDigest');
  return new S3Refusal(
    'BadDigest',
    `The ${digest} you specified did not match the calculated checksum.`,
  );
}
