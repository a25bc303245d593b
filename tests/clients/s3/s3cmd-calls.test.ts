/** Proves that s3cmd's own calls work, and that its URLs by version 2 are refused as it expects. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { atOnce } from './at-once.ts';
import { hasProgram } from './has-program.ts';
import { type S3World, s3Forms, startS3World } from './s3-world.ts';
import { openS3cmd, type S3cmd } from './s3cmd-tool.ts';
import { textsOf } from './xml-texts.ts';

const findObstacle = () => (hasProgram('s3cmd') ? undefined : 's3cmd is not installed');
/** From this text it learns that it must not sign by version 2. */
const VERSION_2_REFUSED =
  'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.';
/** More than are deleted in one request. */
const MANY = 1200;

for (const form of s3Forms()) {
  test(`s3cmd describes, moves, deletes and is refused over ${form.name}`, async (t) => {
    const obstacle = findObstacle();
    if (obstacle !== undefined) return t.skip(obstacle);
    await using world = await startS3World(form);
    await using s3cmd = await openS3cmd(world);
    await describeAndMove(world, s3cmd);
    await abandonUpload(world, s3cmd);
    await describeBucket(world, s3cmd);
    await refuseVersion2(world, s3cmd);
    await deleteMany(world, s3cmd);
  });
}

async function describeAndMove(world: S3World, { run }: S3cmd): Promise<void> {
  const { bucket, directory, raw } = world;
  const file = join(directory, 's3cmd.txt');
  await writeFile(file, 'described');
  const there = `s3://${bucket}/s3cmd/a b+c.txt`;
  const header = (text: string) => `--add-header=${text}`;
  await run('put', header('Cache-Control: no-store'), header('x-amz-meta-a: b'), file, there);
  const put = (await run('info', there)).text;
  assert.match(put, /File size: +9\n/);
  assert.match(put, /x-amz-meta-a: +b\n/);
  assert.match(put, /MD5 sum: +[\da-f]{32}\n/);
  // It copies the object onto itself with other headers.
  await run('modify', header('Content-Type: text/x-other'), there);
  assert.match((await run('info', there)).text, /MIME type: +text\/x-other\n/);
  const key = 's3cmd/a b+c.txt';
  const { headers } = await raw.expectDone({ method: 'HEAD', bucket, key });
  assert.equal(headers['cache-control'], 'no-store');
  await run('setacl', '--acl-private', there);
  await run('mv', there, `${there} (moved)`);
  const gone = await run('ls', `s3://${bucket}/s3cmd/`);
  assert.ok(gone.text.trim().endsWith('a b+c.txt (moved)'), gone.text);
  assert.match((await run('du', `s3://${bucket}/s3cmd/`)).text, /^ *9 +1 objects/);
}

async function abandonUpload({ bucket, raw }: S3World, { run }: S3cmd): Promise<void> {
  const key = 's3cmd/abandoned';
  const begun = await raw.expectDone({ method: 'POST', bucket, key, query: [['uploads', '']] });
  const [uploadId = ''] = textsOf(begun.text, 'UploadId');
  assert.ok((await run('multipart', `s3://${bucket}`)).text.includes(uploadId));
  await run('listmp', `s3://${bucket}/${key}`, uploadId);
  await run('abortmp', `s3://${bucket}/${key}`, uploadId);
  assert.ok(!(await run('multipart', `s3://${bucket}`)).text.includes(uploadId));
}

async function describeBucket({ bucket }: S3World, { run }: S3cmd): Promise<void> {
  const { text } = await run('info', `s3://${bucket}`);
  assert.match(text, /Location: +\S+\n/);
  assert.match(text, /Policy: +none\n/i);
  assert.match(text, /CORS: +none\n/i);
  await run('la');
}

async function refuseVersion2({ bucket, raw }: S3World, { run }: S3cmd): Promise<void> {
  const url = (await run('signurl', `s3://${bucket}/s3cmd/a b+c.txt (moved)`, '+60')).text.trim();
  assert.match(url, /[?&]AWSAccessKeyId=/);
  const { status, text } = await raw.fetch(url);
  assert.equal(status, 400);
  assert.deepEqual(textsOf(text, 'Code'), ['InvalidRequest']);
  assert.deepEqual(textsOf(text, 'Message'), [VERSION_2_REFUSED]);
}

async function deleteMany({ raw }: S3World, { run }: S3cmd): Promise<void> {
  const bucket = `s3cmd-${process.pid}-${Date.now()}`;
  await run('mb', `s3://${bucket}`);
  const keys = Array.from({ length: MANY }, (_, index) => `many/${index} & <more>`);
  await atOnce(keys, 16, (key) => raw.expectDone({ method: 'PUT', bucket, key, body: key }));
  const { text } = await run('del', '--recursive', '--force', `s3://${bucket}/many/`);
  assert.equal(text.trim().split('\n').length, MANY);
  assert.equal((await run('ls', '--recursive', `s3://${bucket}`)).text, '');
  await run('rb', `s3://${bucket}`);
}
