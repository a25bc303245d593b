import type { UsageDelta } from '../usage.ts';

/**
 * Takes usage that has no transaction of its own, such as bytes sent; sums are kept within seconds.
 */
export interface UsageRecorder {
  record(delta: UsageDelta): void;
}
