/** The machine's clock and timers. */
import type { TimeMs } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';

/** The longest delay that the platform's timers keep; longer ones would fire at once. */
const TIMER_DELAY_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now() as TimeMs,
  after: (delayMs, run) => {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number) => {
      const stepMs = Math.min(restMs, TIMER_DELAY_MS_MAX);
      timer = setTimeout(() => (restMs > stepMs ? wait(restMs - stepMs) : run()), stepMs);
      timer.unref();
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
