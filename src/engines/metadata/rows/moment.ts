import type { Db } from '../schema.ts';

/**
 * Runs reads of several statements on the rows of one moment, which includes all that was
 * acknowledged before the call. Within a transaction that is the transaction itself.
 */
export type Moment = <T>(read: (db: Db) => Promise<T>) => Promise<T>;
