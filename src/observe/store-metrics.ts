/** What an operator watches of the store itself; docs/operating.md says what to alarm on. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** As the blob store counts itself. */
export type BlobStatistics = {
  readonly segments: number;
  readonly segmentBytes: number;
  readonly deadBytes: number;
  readonly leases: number;
  /** `undefined` until the first look through the folders. */
  readonly blobFiles: number | undefined;
};

/** As an embedded metadata engine counts itself. */
export type MetadataStatistics = {
  readonly logFrames: number;
  readonly pendingFrames: number;
  readonly checkpointFailures: number;
  readonly threadsLost: number;
  readonly isWritable: boolean;
};

export type StoreMetrics = {
  /** One sync of a segment, and the records it made durable. */
  readonly observeGroup: (records: number, bytes: number) => void;
  readonly countFreed: (bytes: number) => void;
  /** Gives each transaction of the core its series, before any of them is run. */
  readonly nameTransactions: (names: readonly string[]) => void;
  /** One try of a transaction. */
  readonly observeTransaction: (name: string, seconds: number) => void;
  /** A call to the disk held up the event loop. */
  readonly countSlowCall: (kind: 'read' | 'write') => void;
  /** `read` is called at each scrape. */
  readonly watchBlobs: (read: () => BlobStatistics) => void;
  /** `read` is called at each scrape. */
  readonly watchMetadata: (read: () => MetadataStatistics) => void;
  readonly noteVerify: (run: { readonly at: number; readonly findings: number }) => void;
  /** `at`: the moment that the backup holds. */
  readonly noteBackup: (run: { readonly at: number; readonly losses: number }) => void;
};

/** Members of a group; at most 256. */
const RECORDS_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/** From a row by its key to what holds up every other write. */
const TRANSACTION_SECONDS_BUCKETS = [0.001, 0.01, 0.1, 1];

export function createStoreMetrics(registry: Registry): StoreMetrics {
  const registers = [registry];
  const groups = new Histogram({
    name: 'pinfold_segment_sync_records',
    help: 'Records of small blobs made durable by one sync; the count is that of syncs.',
    buckets: RECORDS_BUCKETS,
    registers,
  });
  const groupBytes = new Counter({
    name: 'pinfold_segment_written_bytes_total',
    help: 'Bytes of small blobs made durable.',
    registers,
  });
  const freed = new Counter({
    name: 'pinfold_compaction_freed_bytes_total',
    help: 'Bytes of segments given back by compaction.',
    registers,
  });
  const slowCalls = new Counter({
    name: 'pinfold_segment_slow_calls_total',
    help: 'Reads and writes of segments that held up the event loop for 5 ms or more.',
    labelNames: ['kind'],
    registers,
  });
  return {
    observeGroup: (records, bytes) => {
      groups.observe(records);
      groupBytes.inc(bytes);
    },
    countSlowCall: (kind) => slowCalls.inc({ kind }),
    countFreed: (bytes) => freed.inc(bytes),
    ...transactionMetrics(registry),
    watchBlobs: watchBlobs(registry),
    watchMetadata: watchMetadata(registry),
    ...upkeepMetrics(registry),
  };
}

function transactionMetrics(
  registry: Registry,
): Pick<StoreMetrics, 'nameTransactions' | 'observeTransaction'> {
  const seconds = new Histogram({
    name: 'pinfold_transaction_seconds',
    help: 'Reads and writes of one try of a transaction of the metadata, without its commit.',
    labelNames: ['transaction'],
    buckets: TRANSACTION_SECONDS_BUCKETS,
    registers: [registry],
  });
  return {
    nameTransactions: (names) => {
      for (const transaction of names) seconds.zero({ transaction });
    },
    observeTransaction: (transaction, took) => seconds.observe({ transaction }, took),
  };
}

const BLOB_GAUGES: Readonly<Record<keyof BlobStatistics, readonly [string, string]>> = {
  segments: ['pinfold_segments', 'Segment files.'],
  segmentBytes: ['pinfold_segment_bytes', 'Bytes of all segment files.'],
  deadBytes: ['pinfold_segment_dead_bytes', 'Bytes in segments that no row names.'],
  leases: ['pinfold_segment_leases', 'Readers that hold a segment now.'],
  blobFiles: ['pinfold_blob_files', 'Files of blobs that are kept by themselves.'],
};

function watchBlobs(registry: Registry): StoreMetrics['watchBlobs'] {
  return (read) => {
    for (const [field, [name, help]] of Object.entries(BLOB_GAUGES)) {
      const gauge = new Gauge({
        name,
        help,
        registers: [registry],
        collect: () => {
          const value = new Map(Object.entries(read())).get(field);
          if (value === undefined) gauge.remove();
          else gauge.set(value);
        },
      });
    }
  };
}

function watchMetadata(registry: Registry): StoreMetrics['watchMetadata'] {
  return (read) => {
    const watch = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(value());
        },
      });
    watch('pinfold_metadata_log_frames', 'Pages in the log of the metadata.', () => {
      return read().logFrames;
    });
    watch('pinfold_metadata_log_pending_frames', 'Of those, the ones that are only there.', () => {
      return read().pendingFrames;
    });
    watch('pinfold_metadata_writable', 'Whether the metadata take writes.', () => {
      return read().isWritable ? 1 : 0;
    });
    const counter = (name: string, help: string, value: () => number) =>
      new Counter({
        name,
        help,
        registers: [registry],
        collect() {
          this.reset();
          this.inc(value());
        },
      });
    counter('pinfold_metadata_checkpoint_failures_total', 'Checkpoints that failed.', () => {
      return read().checkpointFailures;
    });
    counter('pinfold_metadata_threads_lost_total', 'Checkpoint threads that ended.', () => {
      return read().threadsLost;
    });
  };
}

function upkeepMetrics(registry: Registry): Pick<StoreMetrics, 'noteVerify' | 'noteBackup'> {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers: [registry] });
  const verifiedAt = gauge('pinfold_verify_timestamp_seconds', 'End of the last verification.');
  const findings = gauge('pinfold_verify_findings', 'Faults that the last verification found.');
  const backedUpAt = gauge('pinfold_backup_timestamp_seconds', 'Moment of the last whole backup.');
  const losses = gauge('pinfold_backup_losses', 'Blobs that the last backup could not copy whole.');
  return {
    noteVerify: ({ at, findings: count }) => {
      verifiedAt.set(at / 1000);
      findings.set(count);
    },
    noteBackup: ({ at, losses: count }) => {
      backedUpAt.set(at / 1000);
      losses.set(count);
    },
  };
}
