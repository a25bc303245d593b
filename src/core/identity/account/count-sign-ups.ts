/** How many accounts one address makes in an hour, by whatever way of signing up. */
import { isLoopback } from '../../../kit/ip.ts';
import { ServiceError } from '../../errors.ts';
import { limitKey } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { RateLimiter } from '../../ports/rate-limiter.ts';

/** Runs what opens an account for a stranger, or throws `rate_limited`. */
export type CountSignUp = <T>(open: () => Promise<T>) => Promise<T>;

/** Counts by `address`; the machine itself may make as many as it likes. */
export function signUpsFrom(
  deps: { readonly limiter: RateLimiter; readonly clock: Pick<Clock, 'now'> },
  address: string,
): CountSignUp {
  return async (open) => {
    if (isLoopback(address)) return await open();
    const key = limitKey({ address });
    const state = await deps.limiter.consume('signUp', key);
    if (state !== undefined && !state.isAllowed) {
      const retryAfter = Math.max(1, Math.ceil((state.resetAt - deps.clock.now()) / 1000));
      throw new ServiceError(
        'rate_limited',
        'Too many accounts were made from this address; try again later.',
        { details: { retryAfter, limit: state.limit } },
      );
    }
    try {
      return await open();
    } catch (error) {
      // No account was made, so that who tries names until one is free does not run out of them.
      await deps.limiter.giveBack('signUp', key);
      throw error;
    }
  };
}
