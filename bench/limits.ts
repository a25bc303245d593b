/** What the disk under the data allows: how often it takes 4 KiB and says that they are safe. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Histogram } from './load/histogram.ts';

export type DiskLimit = {
  readonly syncsPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
};

const RECORD_BYTES = 4096;

/** Appends and `fdatasync`s one after another, as a server with one client and no groups would. */
export function measureDisk(directory: string, runMs: number): DiskLimit {
  const file = join(directory, 'sync-rate');
  const handle = openSync(file, 'a');
  const record = Buffer.alloc(RECORD_BYTES);
  const histogram = new Histogram();
  let count = 0;
  const start = performance.now();
  let now = start;
  try {
    while (now - start < runMs) {
      // Other bytes each time, so that nothing below can leave a write out.
      record.fill(count & 255);
      const before = performance.now();
      writeSync(handle, record);
      fdatasyncSync(handle);
      now = performance.now();
      histogram.add(now - before);
      count += 1;
    }
  } finally {
    closeSync(handle);
    rmSync(file, { force: true });
  }
  return {
    syncsPerSecond: (count * 1000) / (now - start),
    p50Us: histogram.quantileUs(0.5),
    p99Us: histogram.quantileUs(0.99),
  };
}
