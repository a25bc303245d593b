import { ServiceError } from '../../core/errors.ts';

/** More would take the disk away from those whom the server serves. */
const AT_ONCE = 4;

/**
 * Runs `work` for each item, a few at once. After a failure no more are begun; what is under way
 * has ended when this throws the first one. Throws `aborted` by the signal.
 */
export async function eachOf<T>(
  items: Iterable<T>,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
  options: { readonly atOnce: number } = { atOnce: AT_ONCE },
): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const run = async () => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      if (signal.aborted)
        failure ??= { error: new ServiceError('aborted', 'The run was stopped.') };
      if (failure !== undefined) return;
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: options.atOnce }, run));
  if (failure !== undefined) throw failure.error;
}
