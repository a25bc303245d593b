/**
 * Proves that a new key, downloaded in each of its forms, is all that a tool needs: the AWS command
 * line reads the environment and the credentials, rclone its configuration, a program the JSON.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { findPython } from '../../world/python.ts';
import { openUser, startServer, type TestServer } from '../../world/server.ts';
import { searchPath } from '../../world/tool-cache.ts';
import { hasProgram } from './has-program.ts';
import { rawS3 } from './raw-s3.ts';
import { runProgram } from './run-program.ts';

let server: TestServer;
let appKey: string;
before(async () => {
  server = await startServer();
  appKey = await openUser(server.url, 'traveller');
});
after(() => server[Symbol.asyncDispose]());

async function downloadKey(format: string): Promise<string> {
  const response = await fetch(`${server.url}/api/s3/keys?format=${format}`, {
    method: 'POST',
    headers: { authorization: `ApiKey ${appKey}` },
  });
  const text = await response.text();
  assert.equal(response.status, 201, text);
  return text;
}

/** Runs a line of shell in an empty home that holds `file`. */
async function runIn(
  home: string,
  { file, text, line }: { readonly file: string; readonly text: string; readonly line: string },
): Promise<string> {
  const directory = join(server.directory, home);
  await mkdir(dirname(join(directory, file)), { recursive: true });
  await writeFile(join(directory, file), text);
  await writeFile(join(directory, 'hello.txt'), `hello from ${home}\n`);
  const programs = `${dirname(findPython() ?? '')}:${searchPath()}`;
  const environment = { PATH: programs, HOME: directory, AWS_EC2_METADATA_DISABLED: 'true' };
  return (await runProgram({ directory, environment }, { argv: ['sh', '-euc', line] })).text;
}

const NO_PYTHON = 'the Python environment could not be made';
const STORE_AND_SHOW = [
  'aws s3 cp hello.txt "s3://$PIPE_S3_BUCKET/hello.txt" >&2',
  'aws s3 cp "s3://$PIPE_S3_BUCKET/hello.txt" -',
].join(' && ');

for (const { format, file } of [
  { format: 'env', file: '.env' },
  { format: 'agent', file: 'pipe-agent-bundle.env' },
]) {
  test(`the AWS command line needs nothing but the variables of ${file}`, async (t) => {
    if (findPython() === undefined) return t.skip(NO_PYTHON);
    const line = `set -a; . ./${file}; set +a; ${STORE_AND_SHOW}`;
    const said = await runIn(format, { file, text: await downloadKey(format), line });
    assert.equal(said, `hello from ${format}\n`);
  });
}

test('the AWS command line needs nothing but the credentials file', async (t) => {
  if (findPython() === undefined) return t.skip(NO_PYTHON);
  const line = `PIPE_S3_BUCKET=$(aws s3 ls | cut -d' ' -f3); ${STORE_AND_SHOW}`;
  const text = await downloadKey('aws');
  assert.equal(await runIn('aws', { file: '.aws/credentials', text, line }), 'hello from aws\n');
});

test('rclone needs nothing but its configuration', async (t) => {
  if (!hasProgram('rclone')) return t.skip('rclone is not installed');
  const line = [
    'bucket=$(rclone lsf pipe:)',
    'rclone copy hello.txt "pipe:$bucket"',
    'rclone cat "pipe:$bucket"hello.txt',
  ].join(' && ');
  const file = '.config/rclone/rclone.conf';
  const text = await downloadKey('rclone');
  assert.equal(await runIn('rclone', { file, text, line }), 'hello from rclone\n');
});

test('a program needs nothing but the JSON', async () => {
  const key = JSON.parse(await downloadKey('json')) as Readonly<Record<string, string>>;
  using raw = rawS3({
    endpoint: key['endpoint'] ?? '',
    region: key['region'] ?? '',
    accessKeyId: key['access_key_id'] ?? '',
    secretAccessKey: key['secret'] ?? '',
    ca: undefined,
  });
  const object = { bucket: key['default_bucket'] ?? '', key: 'hello.json' };
  await raw.expectDone({ method: 'PUT', ...object, body: 'hello' });
  assert.equal((await raw.expectDone({ method: 'GET', ...object })).text, 'hello');
});
