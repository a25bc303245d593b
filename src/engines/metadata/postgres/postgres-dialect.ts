/** Kysely over `pg`, with errors translated where they come in. */
import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresDialect,
  type TransactionSettings,
} from 'kysely';
import pg from 'pg';

import {
  POSTGRES_CONNECT_TIMEOUT_MS,
  POSTGRES_CONNECTIONS_MAX,
  POSTGRES_QUERY_TIMEOUT_MS,
} from '../metadata-limits.ts';
import type { Db, Schema } from '../schema.ts';
import { translatePostgresError } from './postgres-errors.ts';

/** OID of `int8` in pg_type.dat; the client gives it as text unless told otherwise. */
const INT8_OID = 20;

export function openPool(url: string): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: POSTGRES_CONNECTIONS_MAX,
    connectionTimeoutMillis: POSTGRES_CONNECT_TIMEOUT_MS,
    // A server that hangs is out of reach too: without these a call would wait for ever.
    query_timeout: POSTGRES_QUERY_TIMEOUT_MS,
    statement_timeout: POSTGRES_QUERY_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'pinfold',
    types: { getTypeParser },
  });
  // A connection that breaks, idle or in use, is replaced by the pool, and whoever waits on it is
  // told by its query; without listeners the event would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.on('error', () => {});
  });
  return pool;
}

function getTypeParser(oid: number, format?: 'text' | 'binary') {
  if (oid === INT8_OID && format !== 'binary') return parseInt8;
  return pg.types.getTypeParser(oid, format);
}

/** A number while it is exact, else a bigint: no digit is lost. */
function parseInt8(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

export function kyselyOfPool(pool: pg.Pool): Db {
  const inner = new PostgresDialect({ pool });
  const dialect: Dialect = {
    createAdapter: () => inner.createAdapter(),
    createDriver: () => translatingDriver(inner.createDriver()),
    createIntrospector: (db) => inner.createIntrospector(db),
    createQueryCompiler: () => inner.createQueryCompiler(),
  };
  return new Kysely<Schema>({ dialect });
}

type Translating = DatabaseConnection & { readonly inner: DatabaseConnection };

function translatingDriver(driver: Driver): Driver {
  const innerOf = (connection: DatabaseConnection) => (connection as Translating).inner;
  return {
    init: () => driver.init(),
    async acquireConnection() {
      const inner = await translated(driver.acquireConnection());
      return {
        inner,
        executeQuery: (query) => translated(inner.executeQuery(query)),
        streamQuery: (query, chunkSize) => inner.streamQuery(query, chunkSize),
      } as Translating;
    },
    releaseConnection: (connection) => driver.releaseConnection(innerOf(connection)),
    beginTransaction: (connection, settings: TransactionSettings) =>
      translated(driver.beginTransaction(innerOf(connection), settings)),
    commitTransaction: (connection) => translated(driver.commitTransaction(innerOf(connection))),
    async rollbackTransaction(connection) {
      try {
        await driver.rollbackTransaction(innerOf(connection));
      } catch {
        // The driver has marked the connection as broken; the server rolls back what it lost, and
        // the error that led here is the one to tell.
      }
    },
    destroy: () => driver.destroy(),
  };
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw translatePostgresError(error);
  }
}
