/** A server that rows are run against. */
import type { Access } from '../load/plan.ts';
import type { Row } from '../rows.ts';

export type Target = {
  readonly name: string;
  /** What a reader of the table must know about it. */
  readonly words: string;
  readonly host: string;
  readonly port: number;
  readonly access: Access;
  readonly takes: (row: Row) => boolean;
  /** Its process, where that is ours to look at. */
  readonly pid: number | undefined;
  readonly seed: Seeding;
  /** Pinfold of this or another checkout, what it is compared with, or what bounds them all. */
  readonly role: 'ours' | 'peer' | 'floor';
};

/**
 * How objects that are only read get there: over the protocol, beside it, or they are the same for
 * all.
 */
export type Seeding =
  | { readonly kind: 'upload' }
  | { readonly kind: 'write'; readonly write: (seed: Seed) => void }
  | { readonly kind: 'none' };

export type Seed = {
  readonly prefix: string;
  readonly count: number;
  readonly sizeBytes: number;
};

export type StartedTarget = Target & AsyncDisposable;
