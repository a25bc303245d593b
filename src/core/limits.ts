/** Every fixed limit of the domain with its reason; what operators may change is in config. */

/** S3's limit for keys, taken over for every dialect. */
export const KEY_BYTES_MAX = 1024;
/** S3's limit for bucket names. */
export const BUCKET_NAME_BYTES_MAX = 63;
/** S3's limit for an object, whichever dialect writes it; one PUT over S3 carries 5 GiB at most. */
export const OBJECT_BYTES_MAX = 5 * 1024 ** 4;
/** S3's limits for the parts of a multipart upload; only the last may be smaller than the least. */
export const PARTS_MAX = 10_000;
export const PART_SIZE_BYTES_MAX = 5 * 1024 ** 3;
export const PART_SIZE_BYTES_MIN = 5 * 1024 ** 2;
/** A client that lost the answer of its Complete may repeat it within this time. */
export const UPLOAD_RESULT_KEPT_MS = 24 * 3_600_000;
/**
 * Of one account so many at most: they count against no quota, and who completes uploads in a loop
 * would fill the database with them.
 */
export const UPLOAD_RESULTS_KEPT_MAX = 10_000;
/** Bodies above this are written to a file of their own and announce a `running` operation. */
export const SMALL_BODY_BYTES_MAX = 256 * 1024;
/** A challenge is answered by a person with a wallet; five minutes suffice. */
export const NONCE_LIFE_MS = 5 * 60_000;
/**
 * Guessing a signature is hopeless; so many wrong ones of a wallet from one address, within a
 * challenge's life, are a fault or an attack.
 */
export const WALLET_ANSWERS_WRONG_MAX = 5;
/** A slug has 60 random bits: one draw meets another almost never, ten in a row are a fault. */
export const SLUG_TRIES_MAX = 10;
/** payments.md section 2. */
export const ACCESS_TOKEN_LIFE_MS = 15 * 60_000;
export const REFRESH_IDLE_LIFE_MS = 30 * 24 * 3_600_000;
export const REFRESH_ABSOLUTE_LIFE_MS = 90 * 24 * 3_600_000;
/** A client that lost the answer to its refresh may repeat it within this time. */
export const REFRESH_GRACE_MS = 20_000;
/** The rule of the published clients (accounts.md); counted as people count, by code point. */
export const PASSWORD_CHARACTERS_MIN = 8;
export const PASSWORD_CHARACTERS_MAX = 128;
/** What is tried may be longer: older passwords were. Argon2 costs the same for any length. */
export const PASSWORD_BYTES_MAX = 1024;
/** Each Argon2id run takes 19 MiB and a core; more at once would starve everything else. */
export const PASSWORD_HASHES_AT_ONCE_MAX = 2;
/** Waiting sign-ins beyond this are refused rather than kept. */
export const PASSWORD_HASHES_WAITING_MAX = 64;
/** files-api.md. */
export const USERNAME_LENGTH_MIN = 3;
export const USERNAME_LENGTH_MAX = 32;
export const LIST_LIMIT_DEFAULT = 100;
export const LIST_LIMIT_MAX = 1000;
/** Upload operations are kept this long after their last change. */
export const OPERATION_LIFE_MS = 7 * 24 * 3_600_000;
/** A link's password page sets a cookie for this long. */
export const LINK_COOKIE_LIFE_MS = 10 * 60_000;
/** Titles and descriptions of link previews, in UTF-16 units. */
export const LINK_TEXT_LENGTH_MAX = 1024;
export const LINK_PASSWORD_LENGTH_MAX = 256;
export const TOKEN_NAME_LENGTH_MAX = 100;
/** Live API tokens of one account; they are listed without pages. */
export const TOKENS_MAX = 1000;
/** Open uploads that go in one transaction with their bucket; each may have 10,000 parts. */
export const UPLOADS_ABORTED_AT_ONCE_MAX = 10;
/**
 * Open uploads and public links of one account: more than any honest client has at once, and few
 * enough that they are counted by an index in a millisecond whenever one is made.
 */
export const OPEN_UPLOADS_MAX = 10_000;
export const LINKS_MAX = 10_000;
/** Buckets in one answer, as S3 has it. */
export const BUCKETS_LISTED_MAX = 10_000;
/** Live S3 keys of one account; they are listed without pages. */
export const S3_KEYS_MAX = 1000;
export const S3_KEY_NAME_LENGTH_MAX = 100;
/** Revoked S3 keys stay in the list this long, so that people find what stopped working. */
export const S3_KEY_KEPT_MS = 30 * 24 * 3_600_000;
/** S3 keys at work whose opened secrets and last uses are remembered at once. */
export const S3_KEYS_REMEMBERED_MAX = 10_000;
/** As presigned requests have it everywhere: a week at most (contracts/s3.md). */
export const PRESIGN_LIFE_SECONDS_MAX = 604_800;
export const PRESIGN_LIFE_SECONDS_DEFAULT = 3600;
/** S3's limit for the rules of a bucket's CORS document; origins of the REST form are as many. */
export const CORS_RULES_MAX = 100;
export const CORS_ORIGIN_LENGTH_MAX = 512;
/** Addresses and blocks of one token; each request looks through them. */
export const TOKEN_BLOCKS_MAX = 100;
/** A token's last use is for people, who do not need it to the second. */
export const LAST_USED_STEP_MS = 60_000;
/** Spent nonces are kept this much longer than they live: a clock may be set back. */
export const NONCE_KEPT_MS = 3_600_000;
/** Sessions of one account that are shown; who has more ends all others at once. */
export const SESSIONS_LISTED_MAX = 1000;
/** What a client says of itself, for the list of sessions. */
export const AGENT_LENGTH_MAX = 256;
/** Ended sessions are kept this long, for the portal's list and the trail's reader. */
export const SESSION_KEPT_MS = 24 * 3_600_000;
/** Rows that a sweep removes in one transaction, and transactions of one run. */
export const SWEEP_BATCH_ROWS = 500;
export const SWEEP_BATCHES_MAX = 100;
/** JSON bodies of the REST dialects; the largest documented one is under 4 KiB. */
export const JSON_BODY_BYTES_MAX = 64 * 1024;
