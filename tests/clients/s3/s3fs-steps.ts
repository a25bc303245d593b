/**
 * Works in a folder that s3fs mounted, in a process of its own: the server that must answer may
 * stand in the test's. Its one argument is what it works with, as JSON.
 */
import assert from 'node:assert/strict';
import {
  appendFile,
  chmod,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../world/seeded-random.ts';
import { type RawS3, rawS3, type S3Address } from './raw-s3.ts';
import { assertSameTree, makeTree, readTree } from './trees.ts';

export type MountedFolder = {
  readonly folder: string;
  readonly bucket: string;
  readonly address: S3Address;
};

/** Above its own limit, from which on it sends parts. */
const LARGE_BYTES = 30 * 1024 * 1024 + 7;

type Place = { readonly raw: RawS3; readonly bucket: string };

const { folder, bucket, address } = JSON.parse(process.argv[2] ?? '') as MountedFolder;
using raw = rawS3(address);
await writeAndRead({ raw, bucket }, folder);
await renameAndChange({ raw, bucket }, folder);
await keepLarge({ raw, bucket }, folder);
await keepTree(folder);

async function writeAndRead({ raw, bucket }: Place, folder: string): Promise<void> {
  await writeFile(join(folder, 'hello +%2F 😀.txt'), 'hello');
  assert.equal(await readFile(join(folder, 'hello +%2F 😀.txt'), 'utf8'), 'hello');
  const { text } = await raw.expectDone({ method: 'GET', bucket, key: 'hello +%2F 😀.txt' });
  assert.equal(text, 'hello');
  await appendFile(join(folder, 'hello +%2F 😀.txt'), ' again');
  assert.equal((await stat(join(folder, 'hello +%2F 😀.txt'))).size, 11);
  await writeFile(join(folder, 'empty'), '');
  assert.equal((await readFile(join(folder, 'empty'))).length, 0);
  await assert.rejects(readFile(join(folder, 'missing')), { code: 'ENOENT' });
  await raw.expectDone({ method: 'PUT', bucket, key: 'put elsewhere', body: 'seen here' });
  assert.equal(await readFile(join(folder, 'put elsewhere'), 'utf8'), 'seen here');
}

async function renameAndChange({ raw, bucket }: Place, folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  await mkdir(at('directory'));
  await rename(at('hello +%2F 😀.txt'), at('directory/renamed'));
  assert.equal(await readFile(at('directory/renamed'), 'utf8'), 'hello again');
  await assert.rejects(stat(at('hello +%2F 😀.txt')), { code: 'ENOENT' });
  await chmod(at('directory/renamed'), 0o640);
  await utimes(at('directory/renamed'), 1_000_000_000, 1_000_000_000);
  const found = await stat(at('directory/renamed'));
  assert.equal(found.mode & 0o777, 0o640);
  assert.equal(found.mtimeMs, 1_000_000_000_000);
  // What it keeps of a file stands in the object's metadata.
  const kept = await raw.expectDone({ method: 'HEAD', bucket, key: 'directory/renamed' });
  assert.equal(Number(kept.headers['x-amz-meta-mode']) & 0o777, 0o640);
  await rename(at('directory'), at('moved'));
  assert.deepEqual(await readdir(at('moved')), ['renamed']);
  await assert.rejects(rmdir(at('moved')), { code: 'ENOTEMPTY' });
  await rm(at('moved/renamed'));
  await rmdir(at('moved'));
  assert.deepEqual((await readdir(folder)).sort(), ['empty', 'put elsewhere']);
}

async function keepLarge({ raw, bucket }: Place, folder: string): Promise<void> {
  const bytes = Buffer.alloc(LARGE_BYTES, Buffer.from(seededRandom('s3fs').bytes(1_000_003)));
  await writeFile(join(folder, 'large'), bytes);
  const { headers } = await raw.expectDone({ method: 'HEAD', bucket, key: 'large' });
  assert.match(headers.etag ?? '', /-\d+"$/, 'it was sent in parts');
  await rename(join(folder, 'large'), join(folder, 'large and renamed'));
  assert.ok((await readFile(join(folder, 'large and renamed'))).equals(bytes));
  // It mixes what it wrote with copies of what is there.
  const file = await open(join(folder, 'large and renamed'), 'r+');
  await file.write('changed', 12_345_678);
  await file.close();
  bytes.write('changed', 12_345_678);
  const there = await raw.expectDone({ method: 'GET', bucket, key: 'large and renamed' });
  assert.ok(there.bytes.equals(bytes));
}

async function keepTree(folder: string): Promise<void> {
  const tree = await makeTree(join(folder, 'tree'));
  assertSameTree(await readTree(join(folder, 'tree')), tree);
  await rm(join(folder, 'tree'), { recursive: true });
  await assert.rejects(stat(join(folder, 'tree')), { code: 'ENOENT' });
}
