/** The first schema: docs/formats/schema.md says what each column holds. */
import type { ColumnTypes, Migration } from './migration.ts';

export const firstSchema: Migration = {
  version: 1,
  name: 'first',
  statements: (types) => [
    ...identityTables(types),
    ...credentialTables(types),
    ...bucketTables(types),
    ...contentTables(types),
    ...fileTables(types),
    ...uploadTables(types),
    ...trailTables(types),
  ],
};

function identityTables({ int8, int4, text, keyed }: ColumnTypes): readonly string[] {
  return [
    `create table accounts (
      account_id ${text} not null primary key,
      slug ${text} not null unique,
      default_bucket_id ${int8} not null,
      username ${text},
      username_folded ${text} unique,
      email ${text},
      email_folded ${text} unique,
      first_wallet ${text},
      role ${text} not null,
      plan ${text} not null,
      disabled_at ${int8},
      deterministic_urls ${text} not null,
      storage_bytes_max ${int8},
      egress_bytes_max ${int8},
      buckets_max ${int4},
      password_hash ${text},
      app_key_hash ${text} not null unique,
      app_key_ciphertext ${text} not null,
      stored_bytes ${int8} not null,
      created_at ${int8} not null
    ) ${keyed}`,
    `create table wallets (
      wallet ${text} not null primary key,
      account_id ${text} not null,
      linked_at ${int8} not null
    ) ${keyed}`,
    'create index wallets_by_account on wallets (account_id, linked_at)',
  ];
}

function credentialTables({ int8, int4, text, bytes, keyed }: ColumnTypes): readonly string[] {
  return [
    `create table sign_in_nonces (
      nonce ${text} not null primary key,
      wallet ${text} not null,
      message_hash ${text} not null,
      expires_at ${int8} not null,
      used_at ${int8},
      failures ${int4} not null
    ) ${keyed}`,
    'create index sign_in_nonces_by_expiry on sign_in_nonces (expires_at)',
    `create table sessions (
      session_id ${text} not null primary key,
      account_id ${text} not null,
      counter ${int8} not null,
      rotated_at ${int8} not null,
      created_at ${int8} not null,
      last_used_at ${int8} not null,
      revoked_at ${int8}
    ) ${keyed}`,
    'create index sessions_by_account on sessions (account_id)',
    'create index sessions_by_last_use on sessions (last_used_at)',
    `create table api_tokens (
      token_id ${text} not null primary key,
      account_id ${text} not null,
      name ${text} not null,
      hash ${text} not null unique,
      prefix ${text} not null,
      scopes ${text} not null,
      ip_allowlist ${text} not null,
      created_at ${int8} not null,
      expires_at ${int8},
      last_used_at ${int8},
      unique (account_id, name)
    ) ${keyed}`,
    `create table s3_keys (
      access_key_id ${text} not null primary key,
      account_id ${text} not null,
      name ${text},
      secret_ciphertext ${text} not null,
      read_only ${int4} not null,
      bucket_id ${int8},
      prefix ${bytes},
      created_at ${int8} not null,
      last_used_at ${int8},
      revoked_at ${int8}
    ) ${keyed}`,
    'create index s3_keys_by_account on s3_keys (account_id, created_at)',
  ];
}

/** The columns that a current and a former version share. */
function versionColumns({ int8, text, bytes }: ColumnTypes): string {
  return `
      bucket_id ${int8} not null,
      key ${bytes} not null,
      version_id ${text} not null,
      size_bytes ${int8} not null,
      etag ${text} not null,
      content_hash ${text},
      content_type ${text} not null,
      headers ${text},
      user_metadata ${text},
      tags ${text},
      storage_class ${text} not null,
      tier ${text} not null,
      origin ${text} not null,
      blob_id ${int8},
      content_id ${int8},
      created_at ${int8} not null,`;
}

function bucketTables(types: ColumnTypes): readonly string[] {
  const { int8, int4, text, identity, keyed, plain } = types;
  return [
    `create table buckets (
      bucket_id ${identity},
      account_id ${text} not null,
      name ${text} not null unique,
      is_default ${int4} not null,
      public_read ${int4} not null,
      versioning ${text} not null,
      cors ${text},
      policy ${text},
      lifecycle ${text},
      tagging ${text},
      created_at ${int8} not null
    ) ${plain}`,
    'create index buckets_by_account on buckets (account_id, name)',
    `create table objects (${versionColumns(types)}
      primary key (bucket_id, key)
    ) ${keyed}`,
    `create index objects_by_hash on objects (content_hash, bucket_id, created_at)
      where content_hash is not null`,
    `create table object_versions (${versionColumns(types)}
      is_delete_marker ${int4} not null,
      sequence ${int8} not null,
      primary key (bucket_id, key, version_id)
    ) ${keyed}`,
    'create index object_versions_by_age on object_versions (bucket_id, key, sequence)',
  ];
}

function contentTables(types: ColumnTypes) {
  const { int8, int4, text, bytes, identity, keyed, plain, randomWord } = types;
  return [
    `create table blobs (
      blob_id ${int8} not null primary key,
      size_bytes ${int8} not null,
      location ${text} not null,
      owners ${int8} not null,
      died_at ${int8}
    ) ${plain}`,
    'create index blobs_by_death on blobs (died_at, blob_id) where died_at is not null',
    `create table contents (
      content_id ${identity},
      part_count ${int4} not null
    ) ${plain}`,
    `create table content_parts (
      content_id ${int8} not null,
      position ${int4} not null,
      blob_id ${int8} not null,
      size_bytes ${int8} not null,
      primary key (content_id, position)
    ) ${keyed}`,
    `create table blob_checksums (
      blob_id ${int8} not null,
      algorithm ${text} not null,
      value ${text} not null,
      primary key (blob_id, algorithm)
    ) ${keyed}`,
    `create table blob_leaves (
      blob_id ${int8} not null primary key,
      leaf_bytes ${int8} not null,
      leaves ${bytes} not null
    ) ${plain}`,
    `create table blob_ids (
      one ${int4} not null primary key check (one = 1),
      next_id ${int8} not null,
      store_id ${text} not null
    ) ${plain}`,
    `insert into blob_ids (one, next_id, store_id) values (1, 1, ${randomWord})`,
  ];
}

function fileTables({ int8, text, bytes, keyed }: ColumnTypes): readonly string[] {
  return [
    `create table upload_operations (
      operation_id ${text} not null primary key,
      account_id ${text} not null,
      key ${bytes} not null,
      status ${text} not null,
      error ${text},
      content_hash ${text},
      bytes_total ${int8},
      bytes_uploaded ${int8} not null,
      created_at ${int8} not null,
      updated_at ${int8} not null
    ) ${keyed}`,
    `create index upload_operations_by_key
      on upload_operations (account_id, key, created_at)`,
    'create index upload_operations_by_change on upload_operations (updated_at)',
    `create table public_links (
      hash ${text} not null primary key,
      account_id ${text} not null,
      bucket_id ${int8} not null,
      key ${bytes} not null,
      title ${text},
      description ${text},
      expires_at ${int8},
      password_hash ${text},
      created_at ${int8} not null
    ) ${keyed}`,
    'create index public_links_by_account on public_links (account_id, created_at)',
    'create index public_links_by_key on public_links (bucket_id, key)',
  ];
}

function uploadTables({ int8, int4, text, bytes, keyed }: ColumnTypes): readonly string[] {
  return [
    `create table multipart_uploads (
      upload_id ${text} not null primary key,
      account_id ${text} not null,
      bucket_id ${int8} not null,
      key ${bytes} not null,
      content_type ${text} not null,
      headers ${text},
      user_metadata ${text},
      tags ${text},
      storage_class ${text} not null,
      tier ${text} not null,
      origin ${text} not null,
      checksum_algorithm ${text},
      checksum_type ${text},
      created_at ${int8} not null,
      changed_at ${int8} not null,
      completed_at ${int8},
      result ${text}
    ) ${keyed}`,
    `create index multipart_uploads_by_key
      on multipart_uploads (bucket_id, key, created_at, upload_id)`,
    'create index multipart_uploads_by_change on multipart_uploads (changed_at)',
    `create table upload_parts (
      upload_id ${text} not null,
      part_number ${int4} not null,
      size_bytes ${int8} not null,
      etag ${text} not null,
      checksum ${text},
      blob_id ${int8},
      content_id ${int8},
      created_at ${int8} not null,
      primary key (upload_id, part_number)
    ) ${keyed}`,
  ];
}

function trailTables({ int8, int4, text, identity, plain }: ColumnTypes): readonly string[] {
  return [
    `create table usage_deltas (
      delta_id ${identity},
      account_id ${text} not null,
      hour ${int8} not null,
      meter ${text} not null,
      source ${text} not null,
      bucket_id ${int8} not null,
      credential ${text} not null,
      link ${text} not null,
      bytes ${int8} not null,
      requests ${int8} not null
    ) ${plain}`,
    'create index usage_deltas_by_hour on usage_deltas (account_id, hour)',
    `create table audit (
      audit_id ${identity},
      at ${int8} not null,
      account_id ${text} not null,
      actor ${text} not null,
      action ${text} not null,
      subject ${text}
    ) ${plain}`,
    'create index audit_by_account on audit (account_id, at)',
    'create index audit_by_time on audit (at)',
    `create table outbox (
      job_id ${identity},
      kind ${text} not null,
      subject ${text} not null,
      payload ${text} not null,
      due_at ${int8} not null,
      attempts ${int4} not null,
      leased_until ${int8},
      error ${text},
      created_at ${int8} not null
    ) ${plain}`,
    'create index outbox_by_time on outbox (due_at)',
  ];
}
