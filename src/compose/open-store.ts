/** The composition root's lower half: the engines of a configuration, opened and joined. */
import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/refusal.ts';
import {
  NONCE_LIFE_MS,
  PASSWORD_HASHES_AT_ONCE_MAX,
  PASSWORD_HASHES_WAITING_MAX,
  WALLET_ANSWERS_WRONG_MAX,
} from '../core/limits.ts';
import type { BlobStore } from '../core/ports/blob-store.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Digesters } from '../core/ports/digesters.ts';
import type { Metadata } from '../core/ports/metadata/metadata.ts';
import type { PasswordHasher } from '../core/ports/password-hasher.ts';
import type { Random } from '../core/ports/random.ts';
import type { RateLimiter } from '../core/ports/rate-limiter.ts';
import type { StoreBackup } from '../core/ports/store-backup.ts';
import { StoreFailure, type StoreFault } from '../core/ports/store-failure.ts';
import { TRANSACTIONS } from '../core/transactions.ts';
import { DiskBackup, type DiskBackupDeps } from '../engines/backup/disk-backup.ts';
import { unsupportedBackup } from '../engines/backup/unsupported-backup.ts';
import { DiskBlobStore, type DiskBlobStoreOptions } from '../engines/blobs/disk/disk-blob-store.ts';
import { realDisk } from '../engines/blobs/disk/real-disk.ts';
import { systemClock } from '../engines/clock/system-clock.ts';
import {
  type DataDirectoryPaths,
  openDataDirectory,
} from '../engines/data-directory/data-directory.ts';
import { DiskReserve } from '../engines/data-directory/disk-reserve.ts';
import { ThreadDigesters } from '../engines/digests/thread-digesters.ts';
import { BodyGarbage, collectYoung } from '../engines/heap/body-garbage.ts';
import {
  DESCRIPTORS_MIN,
  type DescriptorFit,
  descriptorLimit,
  fitDescriptors,
} from '../engines/limits/descriptor-fit.ts';
import {
  createMemoryRateLimiter,
  type LimitWindow,
} from '../engines/limits/memory-rate-limiter.ts';
import { SqliteMetadata, type SqliteMetadataOptions } from '../engines/metadata/sqlite-metadata.ts';
import { Argon2PasswordHasher } from '../engines/passwords/argon2-password-hasher.ts';
import { systemRandom } from '../engines/random/system-random.ts';
import { StoredBytes } from '../jobs/stored-bytes.ts';
import { UsageBuffer } from '../jobs/usage-buffer.ts';
import { type Keyring, keyringOf, parseMasterKeys } from '../kit/keyring.ts';
import type { Log } from '../observe/log.ts';
import { createMetrics, type Metrics } from '../observe/metrics.ts';
import { Occasions } from '../observe/occasions.ts';

/** Offsets of damage that one log line names; `verify` names all. */
const DAMAGE_SHOWN_MAX = 20;

/** Everything below the dialects. */
export type Store = {
  readonly metadata: Metadata;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly digesters: Digesters;
  readonly passwords: PasswordHasher;
  readonly limiter: RateLimiter;
  readonly usage: UsageBuffer;
  readonly storedBytes: StoredBytes;
  readonly log: Log;
  readonly metrics: Metrics;
};

export type OpenStore = Store &
  AsyncDisposable & {
    readonly paths: DataDirectoryPaths;
    readonly backup: StoreBackup;
    readonly uploadLifeMs: Config['uploadLifeMs'];
    /** Room kept for deletes on a full disk. */
    readonly reserve: Pick<DiskReserve, 'fill'>;
    /** Resolves when durability can no longer be promised, with the reason. */
    readonly failed: Promise<StoreFailure>;
    /** How many connections of each listener the descriptors suffice for. */
    readonly connectionsMax: number;
  };

/** For tests of failing disks and of small segments; the server's own are the defaults. */
export type StoreParts = {
  readonly blobs?: Partial<Pick<DiskBlobStoreOptions, 'io' | 'segmentBytesMax'>>;
  readonly metadata?: Pick<SqliteMetadataOptions, 'openLog'>;
};

/** Takes the data directory's lock and opens the engines; closes what it opened when it throws. */
export async function openStore(
  config: Config,
  { log, parts = {} }: { readonly log: Log; readonly parts?: StoreParts },
): Promise<OpenStore> {
  const stack = new AsyncDisposableStack();
  try {
    const fit = fitToSystem(config, log);
    const directory = stack.use(await openDataDirectory(systemRandom, config));
    const failure = Promise.withResolvers<StoreFailure>();
    const metrics = openMetrics();
    const failBy = (fault: StoreFault) => (cause: Error) => {
      const reason = new StoreFailure(fault, cause);
      log.fatal({ err: reason }, 'the store takes no more writes, and the process ends');
      failure.resolve(reason);
    };
    const reserve = new DiskReserve({
      file: join(config.dataDirectory, 'reserve'),
      minFreeBytes: Number(config.blobs.minFreeBytes),
    });
    await reserve.fill();
    const { metadata, copyTo } = await openMetadata(config, {
      log,
      metrics,
      onSyncFailure: failBy('metadata_disk'),
      makeRoom: () => reserve.giveUp(),
      parts,
    });
    stack.use(metadata);
    const blobs = stack.use(
      await openBlobs(config, {
        log,
        metrics,
        metadata,
        fit,
        onSyncFailure: failBy('blobs_sync'),
        parts,
      }),
    );
    metrics.watchBlobs(() => blobs.statistics());
    const digesters = stack.use(new ThreadDigesters());
    const usage = new UsageBuffer(metadata);
    stack.defer(() => usage.flush());
    const passwords = new Argon2PasswordHasher({
      atOnceMax: PASSWORD_HASHES_AT_ONCE_MAX,
      waitingMax: PASSWORD_HASHES_WAITING_MAX,
    });
    const keyring = keyringOf(parseMasterKeys(directory.masterKeyText));
    const held = stack.move();
    return {
      metadata,
      blobs,
      clock: systemClock,
      random: systemRandom,
      keyring,
      passwords,
      digesters,
      limiter: createMemoryRateLimiter(limitWindows(config), systemClock.now),
      usage,
      storedBytes: new StoredBytes(metadata, config.quota.capacityBytes),
      log,
      metrics,
      backup: backupOf(config, { blobs, copyTo, masterKeyText: directory.masterKeyText }),
      reserve,
      uploadLifeMs: config.uploadLifeMs,
      paths: directory.paths,
      failed: failure.promise,
      connectionsMax: fit.connectionsMax,
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function openBlobs(
  { blobs: { directory, minFreeBytes } }: Config,
  deps: {
    readonly log: Log;
    readonly metrics: Metrics;
    readonly metadata: Metadata;
    readonly fit: DescriptorFit;
    readonly onSyncFailure: (cause: Error) => void;
    readonly parts: StoreParts;
  },
): Promise<DiskBlobStore> {
  const { log, metrics, metadata, fit, onSyncFailure, parts } = deps;
  return DiskBlobStore.open({
    io: realDisk,
    directory,
    ids: metadata,
    rows: metadata,
    minFreeBytes: Number(minFreeBytes),
    now: systemClock.now,
    onSyncFailure,
    onDamage: (segment, offsets) =>
      log.error({ segment, offsets: offsets.slice(0, DAMAGE_SHOWN_MAX) }, 'a segment is damaged'),
    onGroup: metrics.observeGroup,
    onSlowCall: metrics.countSlowCall,
    onWritten: new BodyGarbage(collectYoung).add,
    openReadersMax: fit.openReadersMax,
    openSegmentsMax: fit.openSegmentsMax,
    ...parts.blobs,
  });
}

function openMetrics(): Metrics {
  const metrics = createMetrics();
  metrics.nameTransactions(TRANSACTIONS.map(({ name }) => name));
  return metrics;
}

/** Refuses a start with too few descriptors; says what they suffice for. */
function fitToSystem({ maxConnections }: Config, log: Log): DescriptorFit {
  const descriptors = descriptorLimit();
  const fit = fitDescriptors(descriptors, maxConnections);
  if (fit === undefined) {
    throw new ConfigError([
      {
        setting: 'The limit of open files',
        problem: `is ${descriptors}, and a server needs ${DESCRIPTORS_MIN} at least`,
        remedy:
          'Raise it, best to 8192 or more: `ulimit -n`, LimitNOFILE= of systemd, --ulimit of Docker.',
      },
    ]);
  }
  const isCut = maxConnections !== undefined && fit.connectionsMax < maxConnections;
  log[isCut ? 'warn' : 'info']({ descriptors, ...fit }, 'fitted to the limit of open files');
  return fit;
}

type OpenMetadata = {
  readonly metadata: Metadata;
  /** `undefined` where the database has means of its own. */
  readonly copyTo: DiskBackupDeps['copyMetadata'] | undefined;
};

async function openMetadata(
  config: Config,
  deps: Pick<SqliteMetadataOptions, 'onSyncFailure' | 'makeRoom'> & {
    readonly log: Log;
    readonly metrics: Metrics;
    readonly parts: StoreParts;
  },
): Promise<OpenMetadata> {
  const { log, metrics, parts, ...options } = deps;
  const onTransaction = metrics.observeTransaction;
  switch (config.metadata.kind) {
    case 'sqlite': {
      const occasions = new Occasions({ log, after: systemClock.after });
      const metadata = await SqliteMetadata.open({
        ...options,
        onTransaction,
        onDamage: (error) =>
          log.fatal({ err: error }, 'the metadata file is damaged; nothing more is written'),
        onTrouble: (facts, sentence) => occasions.warn(facts, sentence),
        ...parts.metadata,
        file: config.metadata.file,
      });
      metrics.watchMetadata(() => metadata.statistics());
      return { metadata, copyTo: (target, onPages) => metadata.backup(target, onPages) };
    }
    case 'postgres': {
      // Loaded only where it is wanted: its driver costs memory and time at the start.
      const { PostgresMetadata } = await import('../engines/metadata/postgres-metadata.ts');
      const metadata = await PostgresMetadata.open({
        url: config.metadata.url,
        onTransaction,
      });
      return { metadata, copyTo: undefined };
    }
  }
}

function backupOf(
  config: Config,
  parts: {
    readonly blobs: BlobStore;
    readonly copyTo: OpenMetadata['copyTo'];
    readonly masterKeyText: string;
  },
): StoreBackup {
  const { blobs, copyTo, masterKeyText } = parts;
  const { directory: blobDirectory } = config.blobs;
  if (copyTo === undefined) return unsupportedBackup(blobDirectory);
  return new DiskBackup({
    blobs,
    copyMetadata: copyTo,
    dataDirectory: config.dataDirectory,
    blobDirectory,
    masterKeyText,
    random: systemRandom,
    now: systemClock.now,
  });
}

function limitWindows(config: Config): Parameters<typeof createMemoryRateLimiter>[0] {
  const { rateLimits } = config;
  const window = (points: number | undefined, seconds: number): readonly LimitWindow[] =>
    points === undefined ? [] : [{ points, seconds }];
  return {
    credential: [...window(rateLimits.perSecond, 1), ...window(rateLimits.perMinute, 60)],
    anonymous: window(rateLimits.anonymousPerSecond, 1),
    s3: window(rateLimits.s3PerSecond, 1),
    signIn: window(rateLimits.signInPerMinute, 60),
    signUp: window(rateLimits.signUpsPerHour, 3600),
    password: window(rateLimits.passwordPerMinute, 60),
    walletAnswer: window(WALLET_ANSWERS_WRONG_MAX, NONCE_LIFE_MS / 1000),
  };
}
