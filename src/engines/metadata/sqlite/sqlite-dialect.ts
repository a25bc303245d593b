/** Kysely over one connection of `node:sqlite`. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

import type { Db, Schema } from '../schema.ts';
import { translateSqliteError } from './sqlite-errors.ts';

/** Texts vary with the length of `in` lists; beyond this the oldest is prepared anew. */
const STATEMENTS_MAX = 200;

/**
 * Runs Kysely's queries on `connection`, at once and in the order of calls; `translate` says what
 * their errors mean. Transactions are not
 * Kysely's business: whoever holds the connection begins and ends them.
 */
export function kyselyOf(
  connection: DatabaseSync,
  translate: (error: unknown) => unknown = translateSqliteError,
): Db {
  const dialect: Dialect = {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => driverOf(connection, translate),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
  return new Kysely<Schema>({ dialect });
}

function driverOf(connection: DatabaseSync, translate: (error: unknown) => unknown): Driver {
  const one = connectionOf(connection, translate);
  const refuse = async () => {
    throw new Error('the writer begins and ends transactions, not Kysely');
  };
  return {
    init: async () => {},
    acquireConnection: async () => one,
    releaseConnection: async () => {},
    beginTransaction: refuse,
    commitTransaction: refuse,
    rollbackTransaction: refuse,
    destroy: async () => {},
  };
}

function connectionOf(
  connection: DatabaseSync,
  translate: (error: unknown) => unknown,
): DatabaseConnection {
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const standing = statements.get(sql);
    if (standing) return standing;
    const statement = connection.prepare(sql);
    // Integers beyond 2^53 would throw otherwise; safe ones are numbers again below.
    statement.setReadBigInts(true);
    const [oldest] = statements.keys();
    if (statements.size >= STATEMENTS_MAX && oldest !== undefined) statements.delete(oldest);
    statements.set(sql, statement);
    return statement;
  };
  return {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      try {
        return execute(prepare(query.sql), query.parameters as readonly SQLInputValue[]);
      } catch (error) {
        throw translate(error);
      }
    },
    // biome-ignore lint/correctness/useYield: rows are read whole, so there is nothing to yield.
    async *streamQuery() {
      throw new Error('rows are read whole');
    },
  };
}

function execute<R>(
  statement: StatementSync,
  parameters: readonly SQLInputValue[],
): QueryResult<R> {
  if (statement.columns().length > 0) {
    const rows = statement.all(...parameters);
    for (const row of rows) narrowIntegers(row);
    return { rows: rows as R[], numAffectedRows: BigInt(rows.length) };
  }
  const { changes } = statement.run(...parameters);
  return { rows: [], numAffectedRows: BigInt(changes) };
}

function narrowIntegers(row: Record<string, unknown>): void {
  for (const name in row) {
    const value = row[name];
    if (typeof value !== 'bigint') continue;
    const number = Number(value);
    if (Number.isSafeInteger(number)) row[name] = number;
  }
}
