/** The tables as Kysely sees them; docs/formats/schema.md says what each column holds. */
import type { Generated, Kysely } from 'kysely';

/** Sums and sizes that may pass 2^53: drivers answer a number while it is safe, else a bigint. */
export type Int8 = number | bigint;

export type AccountTable = {
  readonly account_id: string;
  readonly slug: string;
  readonly default_bucket_id: number;
  readonly username: string | null;
  readonly username_folded: string | null;
  readonly email: string | null;
  readonly email_folded: string | null;
  readonly first_wallet: string | null;
  readonly role: string;
  readonly plan: string;
  readonly disabled_at: number | null;
  readonly deterministic_urls: string;
  readonly storage_bytes_max: Int8 | null;
  readonly egress_bytes_max: Int8 | null;
  readonly buckets_max: number | null;
  readonly password_hash: string | null;
  readonly app_key_hash: string;
  readonly app_key_ciphertext: string;
  readonly stored_bytes: Int8;
  readonly counted_bytes: Int8;
  readonly created_at: number;
};

export type WalletTable = {
  readonly wallet: string;
  readonly account_id: string;
  readonly linked_at: number;
};

export type SpentNonceTable = {
  readonly nonce: string;
  readonly expires_at: number;
};

export type SessionTable = {
  readonly session_id: string;
  readonly account_id: string;
  readonly counter: number;
  readonly rotated_at: number;
  readonly created_at: number;
  readonly last_used_at: number;
  readonly revoked_at: number | null;
  readonly address: string | null;
  readonly agent: string | null;
};

export type TokenTable = {
  readonly token_id: string;
  readonly account_id: string;
  readonly name: string;
  readonly hash: string;
  readonly prefix: string;
  readonly scopes: string;
  readonly ip_allowlist: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
};

export type S3KeyTable = {
  readonly access_key_id: string;
  readonly account_id: string;
  readonly name: string | null;
  readonly secret_ciphertext: string;
  readonly read_only: number;
  readonly bucket_id: number | null;
  readonly prefix: Uint8Array | null;
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly revoked_at: number | null;
  readonly token_id: string | null;
  readonly expires_at: number | null;
};

export type BucketTable = {
  readonly bucket_id: Generated<number>;
  readonly account_id: string;
  readonly name: string;
  readonly is_default: number;
  readonly public_read: number;
  readonly versioning: string;
  readonly cors: string | null;
  readonly policy: string | null;
  readonly lifecycle: string | null;
  readonly tagging: string | null;
  readonly created_at: number;
};

export type ObjectTable = {
  readonly bucket_id: number;
  readonly key: Uint8Array;
  readonly version_id: string;
  readonly size_bytes: number;
  readonly etag: string;
  readonly content_hash: string | null;
  readonly checksum: string | null;
  readonly content_type: string;
  readonly headers: string | null;
  readonly user_metadata: string | null;
  readonly tags: string | null;
  readonly storage_class: string;
  readonly tier: string;
  readonly origin: string;
  readonly blob_id: number | null;
  readonly content_id: number | null;
  readonly created_at: number;
};

export type BlobTable = {
  readonly blob_id: number;
  readonly size_bytes: number;
  readonly location: string;
  readonly owners: number;
  readonly died_at: number | null;
};

export type ContentTable = {
  readonly content_id: Generated<number>;
  readonly part_count: number;
};

export type ContentPartTable = {
  readonly content_id: number;
  readonly position: number;
  readonly blob_id: number;
  readonly size_bytes: number;
  readonly checksum: string | null;
};

export type BlobIdTable = {
  readonly one: number;
  readonly next_id: number;
  readonly store_id: string;
};

export type OperationTable = {
  readonly operation_id: string;
  readonly account_id: string;
  readonly key: Uint8Array;
  readonly status: string;
  readonly error: string | null;
  readonly content_hash: string | null;
  readonly bytes_total: number | null;
  readonly bytes_uploaded: number;
  readonly created_at: number;
  readonly updated_at: number;
};

export type LinkTable = {
  readonly hash: string;
  readonly account_id: string;
  readonly bucket_id: number;
  readonly key: Uint8Array;
  readonly title: string | null;
  readonly description: string | null;
  readonly expires_at: number | null;
  readonly password_hash: string | null;
  readonly created_at: number;
};

export type UploadTable = {
  readonly upload_id: string;
  readonly account_id: string;
  readonly bucket_id: number;
  readonly key: Uint8Array;
  readonly content_type: string;
  readonly headers: string | null;
  readonly user_metadata: string | null;
  readonly tags: string | null;
  readonly storage_class: string;
  readonly tier: string;
  readonly origin: string;
  readonly checksum_algorithm: string | null;
  readonly checksum_type: string | null;
  readonly created_at: number;
  readonly changed_at: number;
  readonly completed_at: number | null;
  readonly result: string | null;
};

export type UploadPartTable = {
  readonly upload_id: string;
  readonly part_number: number;
  readonly size_bytes: number;
  readonly etag: string;
  readonly checksum: string | null;
  readonly blob_id: number | null;
  readonly content_id: number | null;
  readonly created_at: number;
};

export type UsageTable = {
  readonly delta_id: Generated<number>;
  readonly account_id: string;
  readonly hour: number;
  readonly meter: string;
  readonly source: string;
  readonly bucket_id: number;
  readonly credential: string;
  readonly link: string;
  readonly bytes: Int8;
  readonly requests: Int8;
};

export type AuditTable = {
  readonly audit_id: Generated<number>;
  readonly at: number;
  readonly account_id: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
};

/** The tables that code reads or writes today; the schema holds more. */
export type Schema = {
  readonly accounts: AccountTable;
  readonly wallets: WalletTable;
  readonly spent_nonces: SpentNonceTable;
  readonly sessions: SessionTable;
  readonly api_tokens: TokenTable;
  readonly s3_keys: S3KeyTable;
  readonly buckets: BucketTable;
  readonly objects: ObjectTable;
  readonly blobs: BlobTable;
  readonly contents: ContentTable;
  readonly content_parts: ContentPartTable;
  readonly blob_ids: BlobIdTable;
  readonly upload_operations: OperationTable;
  readonly public_links: LinkTable;
  readonly multipart_uploads: UploadTable;
  readonly upload_parts: UploadPartTable;
  readonly usage_deltas: UsageTable;
  readonly audit: AuditTable;
};

export type Db = Kysely<Schema>;
