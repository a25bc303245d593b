/** Proves that aws-sdk-rust makes the round trip, over HTTP and over TLS. */
import { findBuiltProgram } from '../../world/built-programs.ts';
import { openProgram } from './program-tool.ts';
import { testRoundTrip } from './round-trip.ts';

testRoundTrip({
  name: 'aws-sdk-rust',
  findObstacle: () =>
    findBuiltProgram('rust') === undefined
      ? 'its program could not be built with cargo'
      : undefined,
  open: async ({ directory, environment }) =>
    openProgram({ command: findBuiltProgram('rust') ?? '', environment, directory }),
});
