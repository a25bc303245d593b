/** Proves that rclone makes the round trip over TLS. */
import { hasProgram } from './has-program.ts';
import { openRclone } from './rclone-tool.ts';
import { testRoundTrip } from './round-trip.ts';

testRoundTrip(
  {
    name: 'rclone',
    findObstacle: () => (hasProgram('rclone') ? undefined : 'rclone is not installed'),
    open: (world) => openRclone(world, { provider: 'Other' }),
  },
  { over: 'TLS' },
);
