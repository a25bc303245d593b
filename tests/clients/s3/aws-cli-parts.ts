/** What the AWS command line does besides: the page's first command, moves, whole folders. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { type AwsCli, openAwsCli } from './aws-cli.ts';
import type { Trip, TripPart } from './round-trip.ts';
import { assertSameTree, makeTree, readTree } from './trees.ts';

export function awsCliParts(program: () => string): Readonly<Record<string, TripPart>> {
  const withCli =
    (act: (trip: Trip, cli: AwsCli) => Promise<void>): TripPart =>
    (trip) =>
      act(trip, openAwsCli(trip.world, { program: program() }));
  return {
    'lists as the product page shows, by `s3 ls`': withCli(async (trip, { run }) => {
      const { bucket } = trip.world;
      const file = trip.fileAt('listed');
      await writeFile(file, 'listed\n');
      await trip.raw.put({ bucket, key: 'trip/ls/a+b c.txt', file });
      await trip.raw.put({ bucket, key: 'trip/ls/folder/leaf', file });
      const flat = await run('s3', 'ls', `s3://${bucket}/trip/ls/`);
      assert.match(flat.text, /^ +PRE folder\/\n[\d-]+ [\d:]+ +7 a\+b c\.txt\n$/);
      const all = await run('s3', 'ls', '--recursive', '--summarize', `s3://${bucket}/trip/ls/`);
      assert.match(all.text, /Total Objects: 2\n +Total Size: 14\n$/);
    }),

    'moves a file there and back': withCli(async (trip, { run }) => {
      const { bucket } = trip.world;
      const [file, back] = [trip.fileAt('moved'), trip.fileAt('moved back')];
      await writeFile(file, 'moved\n');
      await run('s3', 'mv', file, `s3://${bucket}/trip/moved`);
      await assert.rejects(readFile(file));
      await run('s3', 'mv', `s3://${bucket}/trip/moved`, `s3://${bucket}/trip/moved on`);
      await run('s3', 'mv', `s3://${bucket}/trip/moved on`, back);
      assert.equal(await readFile(back, 'utf8'), 'moved\n');
      assert.deepEqual((await trip.raw.list({ bucket, prefix: 'trip/moved' })).keys, []);
    }),

    'copies and removes folders': withCli(async (trip, { run }) => {
      const { bucket } = trip.world;
      const folder = trip.fileAt('recursive');
      const tree = await makeTree(folder);
      const there = `s3://${bucket}/trip/recursive/`;
      await run('s3', 'cp', '--recursive', folder, there);
      const copied = await mkdtemp(folder);
      await run('s3', 'cp', '--recursive', there, copied);
      assertSameTree(await readTree(copied), tree);
      await run('s3', 'rm', '--recursive', there);
      assert.deepEqual((await trip.raw.list({ bucket, prefix: 'trip/recursive/' })).keys, []);
    }),

    'removes a bucket that is not empty, by force': withCli(async (trip, { run }) => {
      const bucket = 'trip-by-force';
      const file = trip.fileAt('forced');
      await writeFile(file, 'here');
      await run('s3', 'mb', `s3://${bucket}`);
      await run('s3', 'cp', file, `s3://${bucket}/a/b`);
      await assert.rejects(run('s3', 'rb', `s3://${bucket}`), /BucketNotEmpty/);
      await run('s3', 'rb', '--force', `s3://${bucket}`);
      assert.ok(!(await trip.raw.listBuckets()).includes(bucket));
    }),
  };
}
