/** Rate limits counted in this process. */
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import type { TimeMs } from '../../core/ids.ts';
import type { LimitName, LimitState, RateLimiter } from '../../core/ports/rate-limiter.ts';

/** `points` requests in `seconds`. */
export type LimitWindow = { readonly points: number; readonly seconds: number };

/** The windows of each limit; none: the limit is off. */
export type LimitWindows = Readonly<Record<LimitName, readonly LimitWindow[]>>;

/**
 * Keys that one window counts at once; each takes some 300 bytes. Who asked least lately is
 * forgotten first, so that whoever comes from ever new addresses forgets those and no one at work.
 */
const KEYS_MAX = 20_000;

type Counter = {
  readonly window: LimitWindow;
  readonly memory: RateLimiterMemory;
  /** In the order of their last request. */
  readonly keys: Set<string>;
};

export function createMemoryRateLimiter(windows: LimitWindows, now: () => TimeMs): RateLimiter {
  const counters = new Map<string, readonly Counter[]>(
    Object.entries(windows).map(([name, list]) => [
      name,
      list.map((window) => ({
        window,
        memory: new RateLimiterMemory({ points: window.points, duration: window.seconds }),
        keys: new Set(),
      })),
    ]),
  );
  return {
    consume: async (name, key) => {
      let tightest: LimitState | undefined;
      for (const counter of counters.get(name) ?? []) {
        const state = await take(counter, key, now());
        if (!state.isAllowed) return state;
        if (tightest === undefined || state.remaining < tightest.remaining) tightest = state;
      }
      return tightest;
    },
    look: async (name, key) => {
      let tightest: LimitState | undefined;
      for (const counter of counters.get(name) ?? []) {
        const result = await counter.memory.get(key);
        const { points } = counter.window;
        const state = stateOf(result ?? new RateLimiterRes(points, 0), counter, now());
        if (tightest === undefined || state.remaining < tightest.remaining) tightest = state;
      }
      return tightest && { ...tightest, isAllowed: tightest.remaining > 0 };
    },
    giveBack: async (name, key) => {
      for (const { memory } of counters.get(name) ?? []) await memory.reward(key);
    },
  };
}

async function remember({ keys, memory }: Counter, key: string): Promise<void> {
  if (!keys.delete(key) && keys.size >= KEYS_MAX) {
    const [oldest = ''] = keys;
    keys.delete(oldest);
    await memory.delete(oldest);
  }
  keys.add(key);
}

async function take(counter: Counter, key: string, now: TimeMs): Promise<LimitState> {
  await remember(counter, key);
  try {
    return stateOf(await counter.memory.consume(key), counter, now);
  } catch (error) {
    // The library rejects with its result when the points are spent.
    if (!(error instanceof RateLimiterRes)) throw error;
    return { ...stateOf(error, counter, now), isAllowed: false };
  }
}

function stateOf(result: RateLimiterRes, { window }: Counter, now: TimeMs): LimitState {
  return {
    isAllowed: true,
    limit: window.points,
    remaining: Math.max(0, result.remainingPoints),
    resetAt: (now + result.msBeforeNext) as TimeMs,
  };
}
