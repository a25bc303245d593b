/** Proves that version 1 of the AWS command line makes the round trip over TLS. */
// The runner readies what a test file names: world/python.ts.
import { AWS_CLI_V1 } from './aws-cli-versions.ts';
import { testRoundTrip } from './round-trip.ts';

testRoundTrip(AWS_CLI_V1, { over: 'TLS' });
