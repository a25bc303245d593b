/** Proves that boto3 stores, lists, reads, copies, shares and deletes, over HTTP and over TLS. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { findPython } from '../../world/python.ts';
import { openProgram, type ProgramTool } from './program-tool.ts';
import { testRoundTrip } from './round-trip.ts';

const PROGRAM = join(import.meta.dirname, 'programs', 'python', 'round_trip.py');

type OpenUploads = Readonly<Record<'begun' | 'listed', readonly (readonly string[])[]>> & {
  readonly echoed: readonly string[];
};
type SignedForm = { readonly url: string; readonly fields: Readonly<Record<string, string>> };

testRoundTrip({
  name: 'boto3',
  findObstacle: () =>
    findPython() === undefined ? 'the Python environment could not be made' : undefined,
  parts: {
    'lists every open upload, also beside keys that XML cannot say': async ({ world, tool }) => {
      // In the order of UTF-8; the page after each begins where this one ended.
      const keys = ['a', 'b\u0001', 'b\u0002', 'c', 'd\ufffe', 'd\uffff', 'e'];
      const said = ['a', 'b\ufffd', 'b\ufffd', 'c', 'd\ufffd', 'd\ufffd', 'e'];
      const asked = { bucket: world.bucket, keys };
      const answer = await (tool as ProgramTool).ask('openUploads', asked);
      const { begun, listed, echoed } = answer as OpenUploads;
      assert.deepEqual(
        listed,
        begun.map(([, uploadId], index) => [said[index], uploadId]),
      );
      assert.deepEqual(echoed, said);
    },
    'makes forms that anybody can upload with': async ({ world, tool }) => {
      const asked = { bucket: world.bucket, prefix: 'trip/forms/' };
      const form = (await (tool as ProgramTool).ask('presignPost', asked)) as SignedForm;
      const send = async (content: string) => {
        const filled = new FormData();
        for (const [name, value] of Object.entries(form.fields)) filled.set(name, value);
        filled.set('file', new Blob([content]), 'from a page.txt');
        const encoded = new Response(filled);
        const headers = { 'content-type': encoded.headers.get('content-type') ?? '' };
        const body = Buffer.from(await encoded.arrayBuffer());
        return await world.raw.fetch(form.url, { method: 'POST', headers, body });
      };
      const done = await send('uploaded by a form');
      assert.equal(done.status, 201, done.text);
      const object = { bucket: world.bucket, key: 'trip/forms/from a page.txt' };
      const kept = await world.raw.expectDone({ method: 'GET', ...object });
      assert.equal(kept.text, 'uploaded by a form');
      assert.equal(kept.headers['content-type'], 'text/plain');
      const tooLarge = await send('x'.repeat(1001));
      assert.match(tooLarge.text, /EntityTooLarge/);
    },
  },
  open: async ({ caFile, directory, environment }) =>
    openProgram({
      command: findPython() ?? 'python3',
      args: [PROGRAM],
      environment: { ...environment, ...(caFile === undefined ? {} : { AWS_CA_BUNDLE: caFile }) },
      directory,
    }),
});
