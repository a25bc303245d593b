/** Proves that AWS's SDK for JavaScript v3 makes the round trip, over HTTP and over TLS. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { openProgram, type ProgramTool } from './program-tool.ts';
import { testRoundTrip } from './round-trip.ts';

const PROGRAM = join(import.meta.dirname, 'programs', 'javascript', 'round-trip.mjs');

testRoundTrip({
  name: 'AWS SDK for JavaScript',
  findObstacle: () => undefined,
  parts: {
    // The SDK puts the checksum of an empty body into such a URL.
    'makes URLs that anybody can write to': async ({ world, tool }) => {
      const object = { bucket: world.bucket, key: 'trip/sent by anybody + 😀' };
      const url = String(await (tool as ProgramTool).ask('presignPut', object));
      const body = Buffer.from('sent without a key');
      const answer = await world.raw.fetch(url, { method: 'PUT', body });
      assert.equal(answer.status, 200, answer.text);
      const kept = await world.raw.expectDone({ method: 'GET', ...object });
      assert.ok(kept.bytes.equals(body));
    },
  },
  open: async ({ directory, environment }) =>
    openProgram({ command: process.execPath, args: [PROGRAM], environment, directory }),
});
