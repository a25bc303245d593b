/**
 * Counts requests against limits, per key; one count holds across all processes of a deployment.
 */
import type { LimitKey, TimeMs } from '../ids.ts';

/**
 * Which limit; how many points it gives in what time is configured. `walletAnswer` counts wrong
 * answers to the challenges of a wallet, from one address.
 */
export type LimitName =
  | 'credential'
  | 'anonymous'
  | 's3'
  | 'signIn'
  | 'signUp'
  | 'password'
  | 'walletAnswer';

export type LimitState = {
  readonly isAllowed: boolean;
  /** Requests in the window that is closest to its end of points. */
  readonly limit: number;
  readonly remaining: number;
  readonly resetAt: TimeMs;
};

export interface RateLimiter {
  /**
   * Takes one point of `name` for `key`; `undefined` when that limit is off. Never throws for a
   * limiter out of reach: it then allows, because a limiter must not take the service down.
   */
  consume(name: LimitName, key: LimitKey): Promise<LimitState | undefined>;
  /** As `consume`, and takes nothing: for what is counted only when it fails. */
  look(name: LimitName, key: LimitKey): Promise<LimitState | undefined>;
  /** Gives a point back that was taken for what then did not happen. Never throws likewise. */
  giveBack(name: LimitName, key: LimitKey): Promise<void>;
}
