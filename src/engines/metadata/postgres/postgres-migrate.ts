/** Brings a PostgreSQL database to the schema of this program. */
import { sql } from 'kysely';

import { type Migration, POSTGRES_TYPES } from '../migrations/migration.ts';
import { pendingMigrations } from '../migrations/pending.ts';
import type { Db } from '../schema.ts';

/** Any number that other programs in the database are unlikely to lock: "pinfold" as bytes. */
const MIGRATION_LOCK = 0x70_69_6e_66_6f_6cn;

/**
 * Applies what is missing, all in one transaction, while other starting processes wait. Throws when
 * the schema is newer than the program. The operator's own backups are what a bad one falls back
 * to.
 */
export async function migratePostgres(
  db: Db,
  options: { readonly migrations: readonly Migration[]; readonly now: () => number },
): Promise<void> {
  const { migrations, now } = options;
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK}::bigint)`.execute(trx);
    await sql`create table if not exists schema_version (version integer not null primary key,
      name text not null, applied_at bigint not null)`.execute(trx);
    const { rows } = await sql<{ version: number | null }>`select max(version) as version
      from schema_version`.execute(trx);
    for (const migration of pendingMigrations(migrations, rows[0]?.version ?? 0)) {
      for (const statement of migration.statements(POSTGRES_TYPES)) {
        await sql.raw(statement).execute(trx);
      }
      await sql`insert into schema_version values (${migration.version}, ${migration.name},
        ${now()})`.execute(trx);
    }
  });
}
