/** Exit codes of every command (docs/operating.md lists them); they never change their meaning. */
import type { ErrorCode } from '../core/errors.ts';

export const EXIT_CODES = {
  ok: 0,
  /** Something failed for a reason that has no code of its own. */
  failure: 1,
  /** The command line or the configuration is wrong. */
  usage: 2,
  notFound: 3,
  forbidden: 4,
  /** Out of reach, or failing on the other side: worth another try later. */
  unavailable: 5,
  /** What stands already is in the way. */
  conflict: 6,
  quota: 7,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

const { failure, usage, notFound, forbidden, unavailable, conflict, quota, interrupted } =
  EXIT_CODES;

/** One row a code of the domain; the compiler holds the table complete. */
export const EXIT_CODES_OF_ERRORS: Readonly<Record<ErrorCode, ExitCode>> = {
  unauthenticated: forbidden,
  credential_invalid: forbidden,
  csrf_invalid: forbidden,
  missing_scope: forbidden,
  access_denied: forbidden,
  account_disabled: forbidden,
  signup_closed: forbidden,
  wallet_invalid: usage,
  nonce_unknown: forbidden,
  nonce_expired: forbidden,
  nonce_used: forbidden,
  signature_invalid: forbidden,
  refresh_invalid: forbidden,
  refresh_reused: forbidden,
  sign_in_failed: forbidden,
  username_invalid: usage,
  username_taken: conflict,
  password_invalid: usage,
  password_already_set: conflict,
  session_required: forbidden,
  session_current: conflict,
  session_not_found: notFound,
  invalid_key: usage,
  invalid_bucket_name: usage,
  invalid_file_name: usage,
  bucket_not_found: notFound,
  bucket_exists: conflict,
  bucket_owned: conflict,
  bucket_not_empty: conflict,
  default_bucket: conflict,
  too_many_buckets: quota,
  object_not_found: notFound,
  object_exists: conflict,
  precondition_failed: conflict,
  range_not_satisfiable: usage,
  part_not_found: usage,
  quota_exceeded: quota,
  body_too_slow: unavailable,
  incomplete_body: unavailable,
  body_too_large: usage,
  digest_mismatch: usage,
  upload_not_found: notFound,
  invalid_part: usage,
  invalid_part_order: usage,
  part_too_small: usage,
  checksum_missing: usage,
  checksum_unfit: usage,
  size_mismatch: usage,
  operation_not_found: notFound,
  link_not_found: notFound,
  link_expired: notFound,
  link_password_required: forbidden,
  link_password_wrong: forbidden,
  invalid_field: usage,
  invalid_cursor: usage,
  rate_limited: unavailable,
  account_not_found: notFound,
  token_not_found: notFound,
  token_name_taken: conflict,
  s3_key_not_found: notFound,
  no_s3_key: conflict,
  storage_full: unavailable,
  overloaded: unavailable,
  read_only: unavailable,
  corrupt: failure,
  unavailable,
  aborted: interrupted,
};
