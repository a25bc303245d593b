/**
 * The documents of the admin dialect: what its socket speaks and `pinfold admin --json` prints. The
 * names of fields are those of the REST dialects (files-api.md).
 */
import { type Static, Type } from 'typebox';
import { SCOPES } from '../../core/principal.ts';

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** `null`: the configured default holds. */
const LimitsDocument = Type.Object({
  storage_bytes: Nullable(Count),
  egress_bytes: Nullable(Count),
  buckets: Nullable(Count),
});

/** A missing field stays as it is; `null` goes back to the configured default. */
export const LimitsChangeDocument = Type.Partial(LimitsDocument);

export const AccountDocument = Type.Object({
  user_id: Type.String(),
  account: Type.String(),
  username: Nullable(Type.String()),
  email: Nullable(Type.String()),
  wallet_public_key: Nullable(Type.String()),
  role: Type.String(),
  plan: Type.String(),
  disabled_at: Nullable(Type.String()),
  limits: LimitsDocument,
  stored_bytes: Count,
  /** What the storage limit is judged by: stored bytes, and 1,024 or more a row. */
  counted_bytes: Count,
  created_at: Type.String(),
});

/** In order of `user_id`; `next_after` is given back as `after` for the next page. */
export const AccountListDocument = Type.Object({
  accounts: Type.Array(AccountDocument),
  next_after: Nullable(Type.String()),
});

export const NewAccountDocument = Type.Object({ username: Type.String() });

/** `user_app_key` is the new account's first credential. */
export const CreatedAccountDocument = Type.Interface([AccountDocument], {
  user_app_key: Type.String(),
});

const AuditEntryDocument = Type.Object({
  at: Type.String(),
  user_id: Type.String(),
  /** An account's user id, or `admin`. */
  actor: Type.String(),
  action: Type.String(),
  subject: Nullable(Type.String()),
});

/** Newest first. */
export const AuditDocument = Type.Object({ entries: Type.Array(AuditEntryDocument) });

export const NewTokenDocument = Type.Object({
  name: Type.String(),
  scopes: Type.Optional(Type.Array(Type.Enum([...SCOPES]))),
  expires_in_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 36_500 })),
});

const TokenFields = {
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  expires_at: Nullable(Type.String()),
};

/** `token` is shown here and never again. */
export const CreatedTokenDocument = Type.Object({ token: Type.String(), ...TokenFields });

/** Oldest first; `prefix` is what the token begins with. An empty allowlist is any address. */
export const TokenListDocument = Type.Object({
  tokens: Type.Array(
    Type.Object({
      ...TokenFields,
      prefix: Type.String(),
      ip_allowlist: Type.Array(Type.String()),
      created_at: Type.String(),
      last_used_at: Nullable(Type.String()),
    }),
  ),
});

export const RevokedTokenDocument = Type.Object({
  name: Type.String(),
  revoked: Type.Literal(true),
});

/** Limits of a key that are missing or null are none. */
export const NewS3KeyDocument = Type.Object({
  name: Type.Optional(Nullable(Type.String())),
  read_only: Type.Optional(Type.Boolean()),
  bucket: Type.Optional(Nullable(Type.String())),
  prefix: Type.Optional(Nullable(Type.String())),
});

const S3KeyFields = {
  access_key_id: Type.String(),
  name: Nullable(Type.String()),
  read_only: Type.Boolean(),
  bucket: Nullable(Type.String()),
  prefix: Nullable(Type.String()),
  created_at: Type.String(),
};

/** `secret` is shown here and never again; the rest is what a tool needs besides. */
export const CreatedS3KeyDocument = Type.Object({
  ...S3KeyFields,
  secret: Type.String(),
  default_bucket: Type.String(),
  endpoint: Type.String(),
  region: Type.String(),
  api_url: Type.String(),
});

/** Oldest first. */
export const S3KeyListDocument = Type.Object({
  keys: Type.Array(
    Type.Object({
      ...S3KeyFields,
      last_used_at: Nullable(Type.String()),
      revoked_at: Nullable(Type.String()),
    }),
  ),
});

export const RevokedS3KeyDocument = Type.Object({
  access_key_id: Type.String(),
  revoked: Type.Literal(true),
});

export type LimitsChangeDocument = Static<typeof LimitsChangeDocument>;
export type AccountDocument = Static<typeof AccountDocument>;
export type AccountListDocument = Static<typeof AccountListDocument>;
export type NewAccountDocument = Static<typeof NewAccountDocument>;
export type CreatedAccountDocument = Static<typeof CreatedAccountDocument>;
export type AuditDocument = Static<typeof AuditDocument>;
export type NewTokenDocument = Static<typeof NewTokenDocument>;
export type RevokedTokenDocument = Static<typeof RevokedTokenDocument>;
export type CreatedTokenDocument = Static<typeof CreatedTokenDocument>;
export type TokenListDocument = Static<typeof TokenListDocument>;
export type NewS3KeyDocument = Static<typeof NewS3KeyDocument>;
export type CreatedS3KeyDocument = Static<typeof CreatedS3KeyDocument>;
export type S3KeyListDocument = Static<typeof S3KeyListDocument>;
export type RevokedS3KeyDocument = Static<typeof RevokedS3KeyDocument>;
