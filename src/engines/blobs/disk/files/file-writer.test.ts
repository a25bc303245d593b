/** Proves when a blob's own file is written, and that it goes unless its bytes were committed. */
import { strict as assert } from 'node:assert';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { BlobId } from '../../../../core/ids.ts';
import type { DiskFile } from '../disk-io.ts';
import { realDisk } from '../real-disk.ts';
import { FileWriter } from './file-writer.ts';

const GATHER_BYTES = 256 * 1024;
const BLOB = 1 as BlobId;

async function openWriter(write?: DiskFile['write']) {
  const directory = await mkdtemp(join(tmpdir(), 'pinfold-file-writer-'));
  after(() => rm(directory, { recursive: true, force: true }));
  const told: unknown[] = [];
  const writer = await FileWriter.create(
    {
      io: {
        ...realDisk,
        createFile: async (path) => {
          const file = await realDisk.createFile(path);
          return write === undefined ? file : { ...file, write };
        },
      },
      directory,
      ensureFolder: async (path) => void (await realDisk.makeDirectory(path)),
      assertWritable: () => undefined,
      failWrite: (cause) => new Error('the write failed', { cause }),
      failSync: (cause) => new Error('the sync failed', { cause }),
      onWritten: (bytes) => told.push(bytes),
      onRelease: ({ isKept }) => told.push(isKept ? 'kept' : 'gone'),
    },
    BLOB,
  );
  const files = async () =>
    (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) =>
      entry.isFile(),
    ).length;
  return { writer, told, files };
}

test('a quarter of a mebibyte is written as soon as it is there, what is less at the end', async () => {
  const { writer, told, files } = await openWriter();
  assert.equal(writer.write(Buffer.alloc(GATHER_BYTES - 1)), undefined);
  await writer.write(Buffer.alloc(1));
  assert.deepEqual([...told], [GATHER_BYTES]);
  const { sizeBytes } = await writer.commit();
  await writer.release();
  await writer.release();
  assert.equal(sizeBytes, GATHER_BYTES);
  assert.deepEqual([told.at(-1), await files()], ['kept', 1]);
  assert.equal(told.filter((word) => word === 'kept').length, 1);
});

test('a file without a commit goes, and so does one that was refused', async () => {
  for (const isRefused of [false, true]) {
    const { writer, told, files } = await openWriter();
    await writer.write(Buffer.from('bytes'));
    if (isRefused) await writer.commit();
    await writer.release({ isRefused });
    assert.deepEqual([told.at(-1), await files()], ['gone', 0]);
  }
});

test('a write that fails is said as such, of the bytes and of what closes the file', async () => {
  let writes = 0;
  for (const failing of [1, 2]) {
    writes = 0;
    const { writer, files } = await openWriter(async (chunks) => {
      writes += 1;
      if (writes === failing) throw new Error('no space');
      return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    });
    await writer.write(Buffer.from('bytes'));
    await assert.rejects(writer.commit(), { message: 'the write failed' });
    assert.equal(writes, failing);
    await writer.release();
    assert.equal(await files(), 0);
  }
});
