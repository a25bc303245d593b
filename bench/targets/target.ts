/** A server that rows are run against. */
import type { Action, ProtocolName } from '../load/plan.ts';

export type Target = {
  readonly name: string;
  /** What a reader of the table must know about it. */
  readonly words: string;
  readonly host: string;
  readonly port: number;
  readonly protocol: ProtocolName;
  readonly actions: readonly Action[];
  /** Its process, where that is ours to look at. */
  readonly pid: number | undefined;
  readonly credential: string;
  /** How objects that are only read get there. */
  readonly seed:
    | { readonly kind: 'upload' }
    | { readonly kind: 'write'; readonly write: (seed: Seed) => void }
    | { readonly kind: 'none' };
};

export type Seed = {
  readonly prefix: string;
  readonly count: number;
  readonly sizeBytes: number;
};

export type StartedTarget = Target & AsyncDisposable;
