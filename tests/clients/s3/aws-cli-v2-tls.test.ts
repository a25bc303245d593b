/** Proves that version 2 of the AWS command line makes the round trip over TLS. */
import { AWS_CLI_V2 } from './aws-cli-versions.ts';
import { testRoundTrip } from './round-trip.ts';

testRoundTrip(AWS_CLI_V2, { over: 'TLS' });
