/** The named steps at which a crash test may stop the process: of a PUT, and of a part. */
export const PUT_STEPS = [
  'admitted',
  'staged',
  'verified',
  'bytes_committed',
  'published',
] as const;

/** Before and after the one commit that makes an object of parts. */
export const COMPLETE_STEPS = ['completing', 'completed'] as const;

export type FaultStep = (typeof PUT_STEPS)[number] | (typeof COMPLETE_STEPS)[number];

/** Is told of each step as it is reached; the server's own does nothing. */
export interface FaultPoints {
  reach(step: FaultStep): void;
}

export const NO_FAULTS: FaultPoints = { reach: () => undefined };
