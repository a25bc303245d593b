/** The named steps of a PUT at which a crash test may stop the process. */
export const PUT_STEPS = [
  'admitted',
  'staged',
  'verified',
  'bytes_committed',
  'published',
] as const;

export type PutStep = (typeof PUT_STEPS)[number];

/** Is told of each step as it is reached; the server's own does nothing. */
export interface FaultPoints {
  reach(step: PutStep): void;
}

export const NO_FAULTS: FaultPoints = { reach: () => undefined };
