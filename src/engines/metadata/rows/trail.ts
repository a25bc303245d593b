/** Usage and audit as rows, only ever appended. */
import { sql } from 'kysely';

import type { AuditAction, AuditEntry } from '../../../core/audit.ts';
import type { AccountId, BucketId, LinkHash, TimeMs } from '../../../core/ids.ts';
import type { TrailWrites, UsageReads } from '../../../core/ports/metadata/trail.ts';
import type { Meter, UsageDelta, UsageSource } from '../../../core/usage.ts';
import type { AuditTable, Db, Int8, UsageTable } from '../schema.ts';
import { bigintOf, numberOf, orUndefined } from './columns.ts';

const USAGE_KEY = ['hour', 'meter', 'source', 'bucket_id', 'credential', 'link'] as const;

export function usageReads(db: Db): UsageReads {
  return {
    async sumUsage({ accountId, from, to }) {
      const rows = await db
        .selectFrom('usage_deltas')
        .select(USAGE_KEY)
        .select([
          sql<Int8>`cast(sum(bytes) as bigint)`.as('bytes'),
          sql<Int8>`cast(sum(requests) as bigint)`.as('requests'),
        ])
        .where('account_id', '=', accountId)
        .where('hour', '>=', from)
        .where('hour', '<', to)
        .groupBy(USAGE_KEY)
        .orderBy('hour')
        .orderBy('meter')
        .orderBy('source')
        .orderBy('bucket_id')
        .orderBy('credential')
        .orderBy('link')
        .execute();
      return rows.map((row) => usageOf({ ...row, account_id: accountId }));
    },
    async listAudit({ accountId, limit }) {
      let query = db
        .selectFrom('audit')
        .selectAll()
        .orderBy('at', 'desc')
        .orderBy('audit_id', 'desc')
        .limit(limit);
      if (accountId !== undefined) query = query.where('account_id', '=', accountId);
      return (await query.execute()).map(auditOf);
    },
  };
}

export function trailWrites(db: Db): TrailWrites {
  return {
    async appendUsage(deltas) {
      for (const delta of deltas) {
        await db.insertInto('usage_deltas').values(columnsOfUsage(delta)).execute();
      }
    },
    async appendAudit(entry) {
      await db
        .insertInto('audit')
        .values({
          at: entry.at,
          account_id: entry.accountId,
          actor: entry.actor,
          action: entry.action,
          subject: entry.subject ?? null,
        })
        .execute();
    },
  };
}

export function columnsOfUsage(delta: UsageDelta): Omit<UsageTable, 'delta_id'> {
  return {
    account_id: delta.accountId,
    hour: delta.hour,
    meter: delta.meter,
    source: delta.source,
    bucket_id: delta.bucketId,
    credential: delta.credential,
    link: delta.link ?? '',
    bytes: delta.bytes,
    requests: delta.requests,
  };
}

function usageOf(row: Omit<UsageTable, 'delta_id'>): UsageDelta {
  return {
    accountId: row.account_id as AccountId,
    hour: row.hour as TimeMs,
    meter: row.meter as Meter,
    source: row.source as UsageSource,
    bucketId: row.bucket_id as BucketId,
    credential: row.credential,
    link: row.link === '' ? undefined : (row.link as LinkHash),
    bytes: bigintOf(row.bytes),
    requests: numberOf(row.requests),
  };
}

function auditOf(row: Omit<AuditTable, 'audit_id'>): AuditEntry {
  return {
    at: row.at as TimeMs,
    accountId: row.account_id as AccountId,
    actor: row.actor,
    action: row.action as AuditAction,
    subject: orUndefined(row.subject),
  };
}
