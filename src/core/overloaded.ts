import { ServiceError } from './errors.ts';

/** Soon enough that people wait for it, and late enough that what was slow has been cut. */
const RETRY_AFTER_SECONDS = 5;

/** The memory for small bodies is taken; nothing of this one was kept. */
export function overloaded(): ServiceError {
  return new ServiceError('overloaded', 'Too many bodies are under way; try again soon.', {
    details: { retryAfter: RETRY_AFTER_SECONDS },
  });
}
