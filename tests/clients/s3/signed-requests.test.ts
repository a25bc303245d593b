/** Proves that the round trip holds with signed requests of ours, which stand in for gaps. */
import { rawSteps } from './raw-tool.ts';
import { testRoundTrip } from './round-trip.ts';

testRoundTrip({
  name: 'signed requests',
  findObstacle: () => undefined,
  open: async ({ raw }) => ({
    steps: rawSteps(raw),
    stepsAtOnce: 1,
    [Symbol.asyncDispose]: async () => {},
  }),
});
