/** The audit trail: one row for every change of access or money, never for single objects. */
import type { AccountId, TimeMs } from './ids.ts';

const AUDIT_ACTIONS = [
  'account.created',
  'account.disabled',
  'account.enabled',
  'account.limits_changed',
  'account.role_changed',
  'account.settings_changed',
  'app_key.rotated',
  'password.set',
  'session.started',
  'session.ended',
  'session.family_revoked',
  'token.created',
  'token.revoked',
  's3_key.created',
  's3_key.revoked',
  'bucket.created',
  'bucket.changed',
  'bucket.deleted',
  'link.created',
  'link.deleted',
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export type AuditEntry = {
  readonly at: TimeMs;
  /** Whose access changed. */
  readonly accountId: AccountId;
  /** Who did it: an account id, or `admin` for the operator's socket. */
  readonly actor: string;
  readonly action: AuditAction;
  /** What it was done to: a token's name, a link's hash; never a secret. */
  readonly subject: string | undefined;
};
