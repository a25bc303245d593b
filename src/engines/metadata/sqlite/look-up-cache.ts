/**
 * S3 keys and buckets as the file holds them, for the reads that every S3 request makes. This
 * process alone writes the file, and the writer tells which rows it changed, so that a revocation
 * is heeded by the next request, and who changes much empties no cache of others.
 */
import type { S3Key } from '../../../core/identity/s3-keys/s3-key.ts';
import type { Bucket } from '../../../core/objects/buckets/bucket.ts';
import type { MetadataReads } from '../../../core/ports/metadata/metadata.ts';
import type { RowNames } from './changed-rows.ts';

/** More keys or buckets than this at work at once are read again, the oldest first. */
const ROWS_MAX = 10_000;

export class LookUpCache {
  readonly #keys = new Map<string, S3Key>();
  readonly #buckets = new Map<string, Bucket>();
  #generation = 0;

  /** `reads` with the look-ups answered from here; for reads outside transactions. */
  over(reads: MetadataReads): MetadataReads {
    return {
      ...reads,
      findS3Key: async (accessKeyId) =>
        this.#keys.get(accessKeyId) ??
        (await this.#read(this.#keys, accessKeyId, () => reads.findS3Key(accessKeyId))),
      findBucket: async (name) =>
        this.#buckets.get(name) ??
        (await this.#read(this.#buckets, name, () => reads.findBucket(name))),
    };
  }

  /** A transaction was committed that changed these. */
  drop({ s3Keys, buckets }: Pick<RowNames, 's3Keys' | 'buckets'>): void {
    this.#generation += 1;
    for (const accessKeyId of s3Keys) this.#keys.delete(accessKeyId);
    for (const name of buckets) this.#buckets.delete(name);
  }

  /** What is not there is not kept: anybody may ask for any name. */
  async #read<K, V>(
    rows: Map<K, V>,
    name: K,
    read: () => Promise<V | undefined>,
  ): Promise<V | undefined> {
    const generation = this.#generation;
    const row = await read();
    if (row === undefined || generation !== this.#generation) return row;
    const [oldest] = rows.keys();
    if (rows.size >= ROWS_MAX && oldest !== undefined) rows.delete(oldest);
    rows.set(name, row);
    return row;
  }
}
