/** What each tool cannot express, and why: the round trip sends it as signed requests of ours. */
import type { StepName } from './s3-tool.ts';

export type Gaps = {
  readonly steps: Readonly<Partial<Record<StepName, string>>>;
  /** By the names of ODD_KEYS: what it cannot store, read or delete. */
  readonly keys: Readonly<Record<string, string>>;
};

const NONE: Gaps = { steps: {}, keys: {} };

export type ToolName = keyof typeof GAPS;

export const GAPS = {
  'signed requests': NONE,
} as const satisfies Readonly<Record<string, Gaps>>;
