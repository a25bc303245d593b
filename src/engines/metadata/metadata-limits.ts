/** The fixed limits of the metadata engines, each with its reason. */

/** Conflicts are rare and short; one that stays this often is a fault that the caller must see. */
export const TRANSACTION_TRIES_MAX = 10;
/** The writer runs on the event loop: a group of this size holds it for a few milliseconds. */
export const COMMIT_GROUP_MEMBERS_MAX = 256;
/** Blob numbers reserved by one commit; at most so many are lost by a restart. */
export const BLOB_ID_BLOCK_SIZE = 4096;
/** Another process (a backup, an operator's shell) may hold the file's lock for a moment. */
export const SQLITE_BUSY_TIMEOUT_MS = 5000;
/** Page cache of one SQLite connection, KiB. */
export const SQLITE_CACHE_KIB = 16 * 1024;
/** Connections to PostgreSQL of one process; the server's own default allows 100 in all. */
export const POSTGRES_CONNECTIONS_MAX = 16;
/** How long a call waits for a connection before it is `unavailable`. */
export const POSTGRES_CONNECT_TIMEOUT_MS = 5000;
/** The longest statement reads one account's page; a server that takes so long is out of reach. */
export const POSTGRES_QUERY_TIMEOUT_MS = 30_000;
/** Parameters of one statement stay far below what the engines take (SQLite 32,766, pg 65,535). */
export const ROWS_PER_STATEMENT_MAX = 500;
/** The longest pause before a conflicting transaction is run again. */
export const CONFLICT_PAUSE_MS_MAX = 64;
