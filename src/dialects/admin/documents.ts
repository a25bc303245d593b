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

/** `token` is shown here and never again. */
export const CreatedTokenDocument = Type.Object({
  token: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  expires_at: Nullable(Type.String()),
});

export type LimitsChangeDocument = Static<typeof LimitsChangeDocument>;
export type AccountDocument = Static<typeof AccountDocument>;
export type AccountListDocument = Static<typeof AccountListDocument>;
export type NewAccountDocument = Static<typeof NewAccountDocument>;
export type CreatedAccountDocument = Static<typeof CreatedAccountDocument>;
export type AuditDocument = Static<typeof AuditDocument>;
export type NewTokenDocument = Static<typeof NewTokenDocument>;
export type CreatedTokenDocument = Static<typeof CreatedTokenDocument>;
