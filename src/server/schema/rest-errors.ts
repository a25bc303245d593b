/** How every operating error reads in the REST dialects (files-api.md, pinning-api.md). */
import type { ErrorCode, ServiceError } from '../../core/errors.ts';
import { STATUS_CODES } from '../../kit/node-http.ts';

type RestError = { readonly status: number; readonly code: string };

const at = (status: number, code: string): RestError => ({ status, code });

/** The public words: one row a code; the compiler holds the table complete. */
export const REST_ERRORS: Readonly<Record<ErrorCode, RestError>> = {
  unauthenticated: at(401, 'UNAUTHORIZED'),
  credential_invalid: at(401, 'INVALID_API_KEY'),
  csrf_invalid: at(403, 'csrf_invalid'),
  missing_scope: at(403, 'missing_scope'),
  access_denied: at(403, 'access_denied'),
  account_disabled: at(403, 'account_disabled'),
  signup_closed: at(403, 'signup_closed'),
  wallet_invalid: at(400, 'invalid_field'),
  nonce_unknown: at(401, 'nonce_expired'),
  nonce_expired: at(401, 'nonce_expired'),
  nonce_used: at(401, 'nonce_used'),
  signature_invalid: at(401, 'signature_invalid'),
  refresh_invalid: at(401, 'refresh_invalid'),
  refresh_reused: at(401, 'refresh_reused'),
  sign_in_failed: at(401, 'sign_in_failed'),
  username_invalid: at(400, 'invalid_field'),
  username_taken: at(409, 'username_taken'),
  password_invalid: at(400, 'invalid_field'),
  password_already_set: at(409, 'password_already_set'),
  session_required: at(403, 'session_required'),
  session_current: at(409, 'session_current'),
  session_not_found: at(404, 'not_found'),
  invalid_key: at(400, 'invalid_file_name'),
  invalid_bucket_name: at(400, 'invalid_field'),
  invalid_file_name: at(400, 'invalid_file_name'),
  bucket_not_found: at(404, 'not_found'),
  bucket_exists: at(409, 'bucket_exists'),
  bucket_owned: at(409, 'bucket_owned'),
  bucket_not_empty: at(409, 'bucket_not_empty'),
  default_bucket: at(409, 'default_bucket'),
  too_many_buckets: at(402, 'too_many_buckets'),
  object_not_found: at(404, 'not_found'),
  object_exists: at(409, 'file_exists'),
  precondition_failed: at(412, 'precondition_failed'),
  range_not_satisfiable: at(416, 'range_not_satisfiable'),
  part_not_found: at(416, 'range_not_satisfiable'),
  quota_exceeded: at(402, 'quota_exceeded'),
  too_many_uploads: at(409, 'too_many_uploads'),
  too_many_links: at(409, 'too_many_links'),
  incomplete_body: at(400, 'incomplete_body'),
  body_too_slow: at(408, 'body_too_slow'),
  body_too_large: at(413, 'body_too_large'),
  digest_mismatch: at(400, 'digest_mismatch'),
  upload_not_found: at(404, 'not_found'),
  invalid_part: at(400, 'invalid_field'),
  invalid_part_order: at(400, 'invalid_field'),
  part_too_small: at(400, 'invalid_field'),
  checksum_missing: at(400, 'invalid_field'),
  checksum_unfit: at(400, 'invalid_field'),
  size_mismatch: at(400, 'invalid_field'),
  operation_not_found: at(404, 'not_found'),
  link_not_found: at(404, 'not_found'),
  link_expired: at(410, 'link_expired'),
  link_password_required: at(401, 'link_password_required'),
  link_password_wrong: at(401, 'link_password_wrong'),
  invalid_field: at(400, 'invalid_field'),
  invalid_cursor: at(400, 'invalid_field'),
  rate_limited: at(429, 'RATE_LIMIT'),
  account_not_found: at(404, 'not_found'),
  token_not_found: at(404, 'not_found'),
  token_name_taken: at(409, 'token_name_taken'),
  s3_key_not_found: at(404, 'not_found'),
  no_s3_key: at(409, 'no_s3_key'),
  storage_full: at(507, 'storage_full'),
  overloaded: at(503, 'overloaded'),
  read_only: at(503, 'read_only'),
  corrupt: at(500, 'internal'),
  unavailable: at(503, 'unavailable'),
  aborted: at(400, 'incomplete_body'),
};

/** Codes whose own words could tell something of the inside. */
const WITHOUT_WORDS: ReadonlySet<ErrorCode> = new Set(['corrupt', 'read_only', 'unavailable']);

export type RestErrorBody = {
  readonly error: string;
  readonly message: string;
  readonly code: string;
  readonly requestId: string;
  readonly [field: string]: unknown;
};

export type RestAnswer = { readonly status: number; readonly body: RestErrorBody };

/** The answer for an operating error. */
export function restAnswer(error: ServiceError, requestId: string): RestAnswer {
  const { status, code } = REST_ERRORS[error.code];
  const message = WITHOUT_WORDS.has(error.code) ? fallbackMessage(status) : error.message;
  return { status, body: errorBody({ status, code, message, requestId, details: error.details }) };
}

export function errorBody(input: {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  readonly details?: Readonly<Record<string, unknown>>;
}): RestErrorBody {
  return {
    ...input.details,
    error: STATUS_CODES[input.status] ?? 'Error',
    message: input.message,
    code: input.code,
    requestId: input.requestId,
  };
}

export function fallbackMessage(status: number): string {
  return status === 503
    ? 'The service cannot do this at the moment; try again soon.'
    : 'Something failed on our side; the request id helps to find out what.';
}
