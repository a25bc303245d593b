/**
 * Operating errors of the domain. The core says no status and no wire words: each dialect maps
 * every code it can meet in a table of its own, checked for completeness by the compiler.
 */

export const ERROR_CODES = [
  // Who is asking, and may they.
  'unauthenticated',
  'credential_invalid',
  'csrf_invalid',
  'missing_scope',
  'access_denied',
  'account_disabled',
  'signup_closed',
  'wallet_invalid',
  'nonce_unknown',
  'nonce_expired',
  'nonce_used',
  'signature_invalid',
  'refresh_invalid',
  'refresh_reused',
  'sign_in_failed',
  'username_invalid',
  'username_taken',
  'password_invalid',
  'password_already_set',
  'session_required',
  'session_current',
  'session_not_found',
  // Objects and files.
  'invalid_key',
  'invalid_bucket_name',
  'invalid_file_name',
  'bucket_not_found',
  'bucket_exists',
  'bucket_owned',
  'bucket_not_empty',
  'default_bucket',
  'too_many_buckets',
  'object_not_found',
  'object_exists',
  'precondition_failed',
  'range_not_satisfiable',
  'part_not_found',
  'quota_exceeded',
  'too_many_uploads',
  'too_many_links',
  'incomplete_body',
  'body_too_slow',
  'body_too_large',
  'digest_mismatch',
  'upload_not_found',
  'invalid_part',
  'invalid_part_order',
  'part_too_small',
  'checksum_missing',
  'checksum_unfit',
  'size_mismatch',
  'operation_not_found',
  'link_not_found',
  'link_expired',
  'link_password_required',
  'link_password_wrong',
  // Requests.
  'invalid_field',
  'invalid_cursor',
  'rate_limited',
  'account_not_found',
  'token_not_found',
  'token_name_taken',
  's3_key_not_found',
  'no_s3_key',
  // The house itself.
  'storage_full',
  'overloaded',
  'read_only',
  'corrupt',
  'unavailable',
  'aborted',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** Facts that a dialect may put beside the words; never secrets. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

/** A refusal or failure that a well-written caller can meet in operation. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly details?: ErrorDetails; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ServiceError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Whether `error` is the operating error `code`. */
export function isServiceError(error: unknown, code?: ErrorCode): error is ServiceError {
  return error instanceof ServiceError && (code === undefined || error.code === code);
}
