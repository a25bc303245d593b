/**
 * Which of the rows that look-ups keep in memory the transaction under way has changed. SQLite says
 * so itself, by triggers on the writer's connection that last as long as it: no writing method can
 * be forgotten.
 */
import type { DatabaseSync } from 'node:sqlite';

/** Names of rows that are kept in memory. */
export type RowNames = {
  readonly accounts: ReadonlySet<string>;
  readonly s3Keys: ReadonlySet<string>;
  readonly buckets: ReadonlySet<string>;
};

/** Each table, the column by which its rows are kept, and what changes too often for a trigger. */
const KEPT: readonly {
  readonly table: string;
  readonly names: keyof RowNames;
  readonly column: string;
  readonly unwatched: readonly string[];
}[] = [
  // The writer tells sums by itself, with each commit.
  { table: 'accounts', names: 'accounts', column: 'account_id', unwatched: ['stored_bytes'] },
  { table: 's3_keys', names: 's3Keys', column: 'access_key_id', unwatched: [] },
  { table: 'buckets', names: 'buckets', column: 'name', unwatched: [] },
];

export class ChangedRows {
  #names = noNames();

  /** Watches what is written by `connection` from now on; the schema is whole. */
  constructor(connection: DatabaseSync) {
    for (const { table, names, column, unwatched } of KEPT) {
      const note = `note_${table}`;
      connection.function(note, (name) => {
        this.#names[names].add(String(name));
        return null;
      });
      const columns = connection
        .prepare(`select name from pragma_table_info('${table}')`)
        .all()
        .map(({ name }) => String(name))
        .filter((name) => !unwatched.includes(name));
      // A new row is in no cache, and has no old name.
      connection.exec(`
        create temp trigger if not exists ${table}_changed after update of ${columns.join()} on main.${table}
          begin select ${note}(old.${column}), ${note}(new.${column}); end;
        create temp trigger if not exists ${table}_deleted after delete on main.${table}
          begin select ${note}(old.${column}); end`);
    }
  }

  noteAccount(accountId: string): void {
    this.#names.accounts.add(accountId);
  }

  /** The names since the last call; `undefined` when there are none. */
  take(): RowNames | undefined {
    const names = this.#names;
    if (names.accounts.size + names.s3Keys.size + names.buckets.size === 0) return undefined;
    this.#names = noNames();
    return names;
  }
}

function noNames() {
  return { accounts: new Set<string>(), s3Keys: new Set<string>(), buckets: new Set<string>() };
}
