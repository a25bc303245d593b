/** Proves that aws-sdk-go-v2 makes the round trip, over HTTP and over TLS. */
import { findBuiltProgram } from '../../world/built-programs.ts';
import { openProgram } from './program-tool.ts';
import { testRoundTrip } from './round-trip.ts';

testRoundTrip({
  name: 'aws-sdk-go-v2',
  findObstacle: () =>
    findBuiltProgram('go') === undefined ? 'its program could not be built with Go' : undefined,
  open: async ({ directory, environment }) =>
    openProgram({ command: findBuiltProgram('go') ?? '', environment, directory }),
});
