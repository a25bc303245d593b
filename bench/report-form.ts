/** The document that a run of the benchmarks gives. */
import type { DiskLimit } from './limits.ts';
import type { Machine } from './machine.ts';
import type { ProtocolName, Unit } from './rows.ts';
import type { Wanted } from './wanted.ts';

/** Changes whenever a reader of old files would misread new ones. */
export const REPORT_FORM = 'pinfold-bench 1';

export type Spread = { readonly median: number; readonly min: number; readonly max: number };

export type RowReport = {
  readonly row: string;
  readonly target: string;
  readonly unit: Unit;
  readonly connections: number;
  readonly rate: Spread;
  /** What the row is built for. */
  readonly wanted: Wanted | null;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Processor time a request, user and system, of the server's whole process tree. */
  readonly serverCpuUs: Spread | null;
  readonly generatorCpuUs: number;
  /**
   * Cores that neither the server nor the generator used: other work, the kernel's own included.
   */
  readonly otherCores: number | null;
  readonly rssMib: number | null;
  readonly peakMib: number | null;
  readonly requests: number;
  readonly comparedAnswers: number;
  readonly failures: number;
  readonly failureTexts: readonly string[];
};

export type TargetReport = {
  readonly words: string;
  readonly role: 'ours' | 'peer' | 'floor';
  readonly listedKeys: number;
  /** Before the first request, and after the last; `null` where it is not ours to look at. */
  readonly idleMib: number | null;
  readonly afterMib: number | null;
  readonly peakMib: number | null;
};

export type Report = {
  readonly form: typeof REPORT_FORM;
  readonly protocol: ProtocolName;
  readonly startedAt: string;
  readonly machine: Machine;
  readonly runs: number;
  readonly secondsPerRun: number;
  /** What differs from a server's defaults. */
  readonly settings: Readonly<Record<string, string>>;
  readonly targets: Readonly<Record<string, TargetReport>>;
  readonly skipped: readonly string[];
  readonly disk: DiskLimit;
  readonly rows: readonly RowReport[];
};
