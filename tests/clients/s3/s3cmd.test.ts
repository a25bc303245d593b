/** Proves that s3cmd makes the round trip over HTTP. */
import { hasProgram } from './has-program.ts';
import { testRoundTrip } from './round-trip.ts';
import { openS3cmd } from './s3cmd-tool.ts';

const findObstacle = () => (hasProgram('s3cmd') ? undefined : 's3cmd is not installed');

testRoundTrip({ name: 's3cmd', findObstacle, open: openS3cmd }, { over: 'HTTP' });
