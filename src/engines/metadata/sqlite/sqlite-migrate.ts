/** Brings a SQLite file to the schema of this program; an older one is copied first. */
import { backup, type DatabaseSync } from 'node:sqlite';

import { type Migration, SQLITE_TYPES } from '../migrations/migration.ts';
import { pendingMigrations } from '../migrations/pending.ts';

/**
 * Applies what is missing, all in one transaction. A file that holds data is copied to
 * `<file>.before-v<version>` first. Throws when the file is newer than the program.
 */
export async function migrateSqlite(
  connection: DatabaseSync,
  options: {
    readonly file: string;
    readonly migrations: readonly Migration[];
    readonly now: () => number;
  },
): Promise<void> {
  const { file, migrations, now } = options;
  const version = versionOf(connection);
  const pending = pendingMigrations(migrations, version);
  const last = pending.at(-1);
  if (last === undefined) return;
  if (version > 0) await backup(connection, `${file}.before-v${last.version}`);
  connection.exec('begin exclusive');
  try {
    connection.exec(`create table if not exists schema_version (
      version integer not null primary key, name text not null, applied_at integer not null
    ) strict`);
    const record = connection.prepare('insert into schema_version values (?, ?, ?)');
    for (const migration of pending) {
      for (const statement of migration.statements(SQLITE_TYPES)) connection.exec(statement);
      record.run(migration.version, migration.name, now());
    }
    connection.exec('commit');
  } catch (error) {
    if (connection.isTransaction) connection.exec('rollback');
    throw error;
  }
}

function versionOf(connection: DatabaseSync): number {
  const table = connection
    .prepare("select 1 from sqlite_master where type = 'table' and name = 'schema_version'")
    .get();
  if (table === undefined) return 0;
  const row = connection.prepare('select max(version) version from schema_version').get();
  return Number(row?.['version'] ?? 0);
}
