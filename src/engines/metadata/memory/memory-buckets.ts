/** Buckets of the memory engine. */
import type { BucketId } from '../../../core/ids.ts';
import type { Bucket, BucketChange } from '../../../core/objects/buckets/bucket.ts';
import type { BucketReads, BucketWrites } from '../../../core/ports/metadata/buckets.ts';
import { bucketExists, bucketNotEmpty, bucketNotFound } from '../commit-refusals.ts';
import { compareText, type Holder } from './memory-state.ts';

export function memoryBucketReads(holder: Holder): BucketReads {
  const all = () => [...holder.current.buckets.values()];
  return {
    findBucket: async (name) => all().find((each) => each.name === name),
    findBucketById: async (bucketId) => holder.current.buckets.get(bucketId),
    async listBuckets({ accountId, prefix, after, limit }) {
      return all()
        .filter((bucket) => bucket.accountId === accountId && bucket.name.startsWith(prefix))
        .filter(({ name }) => after === undefined || compareText(name, after) > 0)
        .sort((a, b) => compareText(a.name, b.name))
        .slice(0, limit);
    },
    countBuckets: async (accountId) =>
      all().filter((bucket) => bucket.accountId === accountId).length,
  };
}

export function memoryBucketWrites(holder: Holder): BucketWrites {
  return {
    async insertBucket(bucket) {
      const { buckets } = holder.current;
      if ([...buckets.values()].some(({ name }) => name === bucket.name)) throw bucketExists();
      return addBucket(holder, { ...bucket, isDefault: false });
    },
    async updateBucket(bucketId, change) {
      const bucket = holder.current.buckets.get(bucketId);
      if (bucket === undefined) throw bucketNotFound();
      holder.current.buckets.set(bucketId, changed(bucket, change));
    },
    async deleteBucket(bucketId) {
      const { buckets, objects } = holder.current;
      if (!buckets.has(bucketId)) throw bucketNotFound();
      for (const { version } of objects.values()) {
        if (version.bucketId === bucketId) throw bucketNotEmpty();
      }
      buckets.delete(bucketId);
    },
  };
}

/** Numbers a bucket and keeps it. */
export function addBucket(holder: Holder, bucket: Omit<Bucket, 'bucketId'>): Bucket {
  const { buckets, bucketsMade } = holder.current;
  bucketsMade.count += 1;
  const bucketId = bucketsMade.count as BucketId;
  const added: Bucket = { ...bucket, bucketId };
  buckets.set(bucketId, added);
  return added;
}

function changed(bucket: Bucket, { publicRead, documents = {} }: BucketChange): Bucket {
  const named = Object.entries(documents).filter(([, text]) => text !== undefined);
  const texts = named.map(([name, text]) => [name, text ?? undefined]);
  return {
    ...bucket,
    publicRead: publicRead ?? bucket.publicRead,
    documents: { ...bucket.documents, ...Object.fromEntries(texts) },
  };
}
