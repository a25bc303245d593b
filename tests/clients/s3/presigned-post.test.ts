/**
 * Proves that forms which boto3 signs are taken from three independent writers of forms: urllib3,
 * the `FormData` of browsers as Node has it, and curl.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { findPython } from '../../world/python.ts';
import { type S3World, startS3World } from './s3-world.ts';

const PROGRAM = join(import.meta.dirname, 'programs', 'python', 'presigned_post.py');
const skip = findPython() === undefined ? 'the Python environment could not be made' : false;

type Form = {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly status: number;
  readonly text: string;
};

let world: S3World;
let forms: readonly Form[] = [];

const FILE = ['ü "quoted".txt', 'Grüße\r\n--not a boundary\r\n'] as const;

const ORDERED = [
  { key: 'plain', fields: {}, conditions: [] },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder of S3
  { key: 'named/${filename}', fields: {}, conditions: [] },
  {
    key: 'described/ä +.txt',
    fields: {
      acl: 'private',
      'Content-Type': 'text/plain; charset=utf-8',
      'x-amz-meta-colour': 'blue, and green',
      success_action_status: '201',
    },
    conditions: [['content-length-range', 1, 1000]],
  },
  { key: 'too-large', fields: {}, conditions: [['content-length-range', 0, 3]] },
].map((form) => ({ ...form, file: FILE }));

before(async () => {
  if (skip !== false) return;
  world = await startS3World({ tls: false });
  forms = await signForms();
});

after(() => world?.[Symbol.asyncDispose]());

async function signForms(): Promise<readonly Form[]> {
  const { endpoint, region, bucket, environment } = world;
  const child = spawn(findPython() ?? 'python3', [PROGRAM], { env: environment });
  const exited = once(child, 'exit');
  child.stdin.end(JSON.stringify({ endpoint, region, bucket, forms: ORDERED }));
  const [said, notes] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  assert.notEqual(said, '', notes);
  return JSON.parse(said) as readonly Form[];
}

const STATUSES = [204, 204, 201, 400];

async function assertStored(key: string): Promise<void> {
  const got = await world.raw.expectDone({ method: 'GET', bucket: world.bucket, key });
  assert.equal(got.text, FILE[1]);
}

async function removeAll(): Promise<void> {
  for (const key of await keys()) {
    await world.raw.expectDone({ method: 'DELETE', bucket: world.bucket, key });
  }
}

async function keys(): Promise<readonly string[]> {
  const listed = await world.raw.expectDone({ method: 'GET', bucket: world.bucket });
  return [...listed.text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
}

test('urllib3 posts what boto3 signed', { skip }, async () => {
  const said = forms.map(({ status, text: answer }) => `${status} ${answer}`).join('\n');
  assert.deepEqual(
    forms.map(({ status }) => status),
    STATUSES,
    said,
  );
  assert.match(forms[3]?.text ?? '', /<Code>EntityTooLarge<\/Code>/);
  for (const key of ['plain', 'described/ä +.txt']) await assertStored(key);
  const stored = await keys();
  assert.equal(stored.length, 3);
  assert(
    stored.some((key) => key.startsWith('named/ü ')),
    stored.join(),
  );
  const head = { method: 'HEAD', bucket: world.bucket, key: 'described/ä +.txt' };
  const { headers } = await world.raw.expectDone(head);
  assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
  assert.equal(headers['x-amz-meta-colour'], 'blue, and green');
  await removeAll();
});

test('a FormData posts the same forms', { skip }, async () => {
  const answers = await Promise.all(
    forms.map(({ url, fields }) => {
      const body = new FormData();
      for (const [name, value] of Object.entries(fields)) body.append(name, value);
      body.append('file', new Blob([FILE[1]]), FILE[0]);
      body.append('submit', 'Upload');
      return fetch(url, { method: 'POST', body });
    }),
  );
  const statuses = answers.map(({ status }) => status);
  await Promise.all(answers.map((answer) => answer.arrayBuffer()));
  assert.deepEqual(statuses, STATUSES);
  // Browsers write a quote in a name as %22, and nobody writes it back.
  const stored = ['described/ä +.txt', 'named/ü %22quoted%22.txt', 'plain'];
  assert.deepEqual(await keys(), stored);
  for (const key of stored) await assertStored(key);
  await removeAll();
});

test('curl posts them too, and waits to be told where the file is large', { skip }, async () => {
  const file = join(world.directory, 'large.bin');
  const large = Buffer.alloc(2_000_000, '\r\n--');
  await writeFile(file, large);
  const [plain] = forms;
  assert(plain !== undefined);
  const fields = Object.entries(plain.fields).flatMap(([name, value]) => [
    '--form-string',
    `${name}=${value}`,
  ]);
  const child = spawn('curl', ['-sSv', ...fields, '-F', `file=@${file}`, plain.url], {
    env: world.environment,
  });
  const exited = once(child, 'exit');
  const [notes] = await Promise.all([text(child.stderr), text(child.stdout), exited]);
  assert.match(notes, /< HTTP\/1\.1 100 Continue.*< HTTP\/1\.1 204/s);
  const got = await world.raw.expectDone({ method: 'GET', bucket: world.bucket, key: 'plain' });
  assert(got.bytes.equals(large));
});
