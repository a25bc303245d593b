/** What is only ever appended: usage and audit. */
import type { AuditEntry } from '../../audit.ts';
import type { AccountId, TimeMs } from '../../ids.ts';
import type { UsageDelta } from '../../usage.ts';

export interface UsageReads {
  /** Sums per key of all deltas of an account with `from <= hour < to`, in order of hour. */
  sumUsage(range: {
    readonly accountId: AccountId;
    readonly from: TimeMs;
    readonly to: TimeMs;
  }): Promise<readonly UsageDelta[]>;
  /** Newest first. */
  listAudit(page: {
    readonly accountId: AccountId | undefined;
    readonly limit: number;
  }): Promise<readonly AuditEntry[]>;
}

export interface TrailWrites {
  appendUsage(deltas: readonly UsageDelta[]): Promise<void>;
  appendAudit(entry: AuditEntry): Promise<void>;
}
