/**
 * A store on a real disk without a server: small segments, so that they roll and compact in a test.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { BlobId, Etag, ObjectKey } from '../../src/core/ids.ts';
import { keep, readAll } from '../../src/core/ports/blob-store-contract.ts';
import {
  insertAccount,
  sampleAccount,
  sampleDeletion,
  samplePublication,
} from '../../src/core/ports/metadata/contract/samples.ts';
import type { UpkeepOptions } from '../../src/core/ports/upkeep-progress.ts';
import { verifyStore } from '../../src/core/upkeep/verify-store.ts';
import { type BackupStep, DiskBackup } from '../../src/engines/backup/disk-backup.ts';
import { DiskBlobStore } from '../../src/engines/blobs/disk/disk-blob-store.ts';
import { realDisk } from '../../src/engines/blobs/disk/real-disk.ts';
import { systemClock } from '../../src/engines/clock/system-clock.ts';
import { dataDirectoryPaths } from '../../src/engines/data-directory/data-directory.ts';
import { makeDirectoryDurably } from '../../src/engines/data-directory/durable-file.ts';
import {
  makeMasterKeyFile,
  readMasterKeyFile,
} from '../../src/engines/data-directory/master-key-file.ts';
import { SqliteMetadata } from '../../src/engines/metadata/sqlite-metadata.ts';
import { sweepDeadBlobs } from '../../src/jobs/sweep-blobs.ts';
import { seededRandom } from './seeded-random.ts';

/** Nobody stops it and nobody watches. */
export const UNWATCHED: UpkeepOptions = {
  signal: AbortSignal.any([]),
  onProgress: () => undefined,
};

const SEGMENT_BYTES_MAX = 300_000;
const HOUR_MS = 3_600_000;

export type SmallStore = Awaited<ReturnType<typeof openSmallStore>>;

/** Where a store in `directory` has what, as in a server's data directory. */
export function smallStorePaths(directory: string) {
  return {
    paths: dataDirectoryPaths({
      dataDirectory: directory,
      masterKeyFile: join(directory, 'keys', 'master.key'),
    }),
    metadataFile: join(directory, 'metadata.db'),
    blobDirectory: join(directory, 'blobs'),
    now: systemClock.now,
  };
}

/** Opens what stands in `directory`, or begins a store there. */
export async function openSmallStore(
  directory: string,
  options: { readonly onStep?: (step: BackupStep) => void; readonly seed?: string } = {},
) {
  const { paths, metadataFile, blobDirectory } = smallStorePaths(directory);
  const random = seededRandom(options.seed ?? directory);
  await makeDirectoryDurably(directory);
  const masterKeyText =
    (await readMasterKeyFile(paths.masterKeyFile)) ??
    (await makeMasterKeyFile(random, paths.masterKeyFile));
  const metadata = await SqliteMetadata.open({ file: metadataFile });
  const blobs = await DiskBlobStore.open({
    io: realDisk,
    directory: blobDirectory,
    ids: metadata,
    rows: metadata,
    minFreeBytes: 0,
    now: systemClock.now,
    onSyncFailure: (error) => {
      throw error;
    },
    onDamage: () => undefined,
    segmentBytesMax: SEGMENT_BYTES_MAX,
  });
  const backup = new DiskBackup(
    {
      blobs,
      copyMetadata: (target, onPages) => metadata.backup(target, onPages),
      dataDirectory: directory,
      blobDirectory,
      masterKeyText,
      random,
      now: systemClock.now,
    },
    options.onStep,
  );
  const standing = await metadata.findAccount(sampleAccount(1).accountId);
  const account = standing ?? (await insertAccount(metadata, sampleAccount(1)));
  const { defaultBucketId: bucketId } = account;
  const keyOf = (key: string) => key as ObjectKey;
  return {
    directory,
    metadata,
    blobs,
    account,
    /** Publishes `bytes` under `key` and answers their blob. */
    put: async (key: string, bytes: Uint8Array): Promise<BlobId> => {
      const writer = await blobs.stage({ sizeBytes: bytes.length });
      try {
        await writer.write(Buffer.from(bytes));
        const blob = await writer.commit();
        const { blobId, sizeBytes } = blob;
        const etag = createHash('md5').update(bytes).digest('hex') as Etag;
        const publication = samplePublication(account, {
          key,
          blobId,
          sizeBytes,
          version: { etag },
        });
        await metadata.publishObject({ ...publication, content: [{ blob, sizeBytes }] });
        return blobId;
      } finally {
        await writer.release();
      }
    },
    /** Bytes that no row names. */
    leave: (bytes: Uint8Array) => keep(blobs, bytes),
    remove: (key: string) =>
      metadata.deleteObject(sampleDeletion(account, key, { at: systemClock.now() })),
    /** The bytes under `key`; fails when they are not those of the ETag. */
    read: async (key: string): Promise<Buffer | undefined> => {
      const found = await metadata.findObject(bucketId, keyOf(key));
      if (found === undefined) return undefined;
      const parts: Buffer[] = [];
      for (const { blob } of found.content) parts.push(await readAll(blobs, blob));
      const bytes = Buffer.concat(parts);
      const etag = createHash('md5').update(bytes).digest('hex');
      if (etag !== found.etag) throw new Error(`${key} holds other bytes than were put`);
      return bytes;
    },
    keys: async (): Promise<readonly string[]> => {
      const query = { bucketId, prefix: '', delimiter: '', after: undefined, limit: 1000 };
      const { entries } = await metadata.listObjects(query);
      return entries.flatMap((entry) => (entry.kind === 'object' ? [entry.object.key] : []));
    },
    /** What the jobs of a server do from time to time. */
    tidyUp: async () => {
      const { signal } = UNWATCHED;
      await sweepDeadBlobs({ metadata, blobs, clock: systemClock }, { signal });
      await blobs.sweep({ graceMs: HOUR_MS, signal });
      return await blobs.compact({ signal });
    },
    verify: async (orphanGraceMs = 0) => {
      const deps = { metadata, blobs, clock: systemClock };
      return await verifyStore(deps, { orphanGraceMs }, UNWATCHED);
    },
    backUp: (to: string, withKeys = false, watched = UNWATCHED) =>
      backup.write({ directory: to, withKeys }, watched),
    close: async () => {
      await blobs[Symbol.asyncDispose]();
      await metadata[Symbol.asyncDispose]();
    },
  };
}
