/** Objects and listings of the memory engine: the plainest words for what all must do. */

import { strict as assert } from 'node:assert';
import { ServiceError } from '../../../core/errors.ts';

import type { Account } from '../../../core/identity/account/account.ts';
import type { AccountId, BlobId, BucketId, ObjectKey, TimeMs } from '../../../core/ids.ts';
import {
  type Footprint,
  footprintChange,
  versionFootprint,
} from '../../../core/objects/commit/footprint.ts';
import { judgeCommit } from '../../../core/objects/commit/judge-commit.ts';
import type { ContentPart, ObjectVersion, StoredObject } from '../../../core/objects/object.ts';
import type {
  ListEntry,
  ListPage,
  ListQuery,
  ObjectReads,
  ObjectWrites,
} from '../../../core/ports/metadata/objects.ts';
import { bucketNotFound, bytesGone, objectNotFound } from '../commit-refusals.ts';
import { commonPrefixOf, listRangeOf } from '../list-range.ts';
import { accountNotFound } from '../rows/accounts.ts';
import { withChange } from '../stored-change.ts';
import { addressOf, compareText, type Holder, type KeptObject } from './memory-state.ts';

export function memoryObjectReads(holder: Holder): ObjectReads {
  return {
    async findObject(bucketId, key) {
      const kept = holder.current.objects.get(addressOf(bucketId, key));
      return kept && storedObjectOf(holder, kept);
    },
    async findObjectByHash(bucketId, contentHash, origin) {
      const [oldest] = objectsOf(holder, bucketId)
        .filter(({ version }) => version.contentHash === contentHash)
        .filter(({ version }) => origin === undefined || version.origin === origin)
        .sort(
          (a, b) =>
            a.version.createdAt - b.version.createdAt || compareText(a.version.key, b.version.key),
        );
      return oldest && storedObjectOf(holder, oldest);
    },
    async findLinkedObject(hash) {
      const link = holder.current.links.get(hash);
      const kept = link && holder.current.objects.get(addressOf(link.bucketId, link.key));
      return kept && storedObjectOf(holder, kept);
    },
    listObjects: async (query) => listObjects(holder, query),
  };
}

function objectsOf(holder: Holder, bucketId: BucketId): KeptObject[] {
  return [...holder.current.objects.values()].filter(
    ({ version }) => version.bucketId === bucketId,
  );
}

export function storedObjectOf(holder: Holder, { version, content }: KeptObject): StoredObject {
  const parts = content.map(({ blobId, sizeBytes, checksum }): ContentPart => {
    const kept = holder.current.blobs.get(blobId);
    if (kept === undefined) throw new ServiceError('corrupt', 'A named blob has no row.');
    return checksum === undefined
      ? { blob: kept.blob, sizeBytes }
      : { blob: kept.blob, sizeBytes, checksum };
  });
  return { ...version, content: parts };
}

/** Looks at every key in order, as no other engine does. */
function listObjects(holder: Holder, query: ListQuery): ListPage {
  const range = listRangeOf(query);
  if (range === undefined) return { entries: [], isTruncated: false };
  const { prefix, delimiter, lower } = range;
  const versions = objectsOf(holder, query.bucketId)
    .map(({ version }) => version)
    .filter(({ key }) => key.startsWith(prefix) && Buffer.from(key).compare(lower) >= 0)
    .sort((a, b) => compareText(a.key, b.key));
  const entries: ListEntry[] = [];
  let lastGroup: string | undefined;
  for (const object of versions) {
    const group = commonPrefixOf(object.key, prefix, delimiter);
    if (group !== undefined && group === lastGroup) continue;
    lastGroup = group;
    entries.push(
      group === undefined ? { kind: 'object', object } : { kind: 'prefix', prefix: group },
    );
  }
  return { entries: entries.slice(0, query.limit), isTruncated: entries.length > query.limit };
}

export function memoryObjectWrites(holder: Holder): ObjectWrites {
  return {
    async publishObject(publication) {
      const { accountId, version, content, demands, operation, usage } = publication;
      assert(Number.isSafeInteger(version.createdAt), 'a time is whole milliseconds');
      const account = accountOf(holder, accountId);
      requireOwner(holder, version.bucketId, accountId);
      const address = addressOf(version.bucketId, version.key);
      const before = holder.current.objects.get(address);
      judgeCommit(demands, { current: before?.version, account });
      for (const { blob } of content) {
        const kept = holder.current.blobs.get(blob.blobId);
        if (kept === undefined && publication.areBlobsStanding === true) throw bytesGone();
        if (kept?.diedAt !== undefined) throw bytesGone();
      }
      for (const { blob } of content) {
        const kept = holder.current.blobs.get(blob.blobId);
        const owned = kept ?? { blob, owners: 0, diedAt: undefined };
        holder.current.blobs.set(blob.blobId, { ...owned, owners: owned.owners + 1 });
      }
      holder.current.objects.set(address, {
        version,
        content: content.map(({ blob, sizeBytes, checksum }) => ({
          blobId: blob.blobId,
          sizeBytes,
          checksum,
        })),
      });
      if (before !== undefined) dropContent(holder, before, version.createdAt);
      const change = footprintChange({
        added: [versionFootprint(version)],
        removed: [before && versionFootprint(before.version)],
      });
      changeStored(holder, accountId, change);
      if (operation !== undefined) {
        holder.current.operations.set(operation.operationId, operation);
      }
      if (usage !== undefined) holder.current.usage.push(usage);
      return before?.version;
    },
    async deleteObject({ accountId, bucketId, key, at, demands }) {
      const account = accountOf(holder, accountId);
      requireOwner(holder, bucketId, accountId);
      const before = holder.current.objects.get(addressOf(bucketId, key));
      judgeCommit(demands, { current: before?.version, account });
      if (before === undefined) return undefined;
      removeObject(holder, before, at);
      endLinks(holder, bucketId, key);
      return before.version;
    },
    async moveObject({ bucketId, from, to, at }) {
      const moved = holder.current.objects.get(addressOf(bucketId, from));
      if (moved === undefined) {
        throw objectNotFound();
      }
      if (from === to) return;
      const target = holder.current.objects.get(addressOf(bucketId, to));
      if (target !== undefined) {
        removeObject(holder, target, at);
        endLinks(holder, bucketId, to);
      }
      holder.current.objects.delete(addressOf(bucketId, from));
      const version: ObjectVersion = { ...moved.version, key: to };
      const change = footprintChange({
        added: [versionFootprint(version)],
        removed: [versionFootprint(moved.version)],
      });
      changeStored(holder, ownerOf(holder, bucketId), change);
      holder.current.objects.set(addressOf(bucketId, to), { ...moved, version });
      for (const [hash, link] of holder.current.links) {
        if (isLinkTo(link, bucketId, from)) holder.current.links.set(hash, { ...link, key: to });
      }
    },
  };
}

function endLinks(holder: Holder, bucketId: BucketId, key: ObjectKey): void {
  for (const [hash, link] of holder.current.links) {
    if (isLinkTo(link, bucketId, key)) holder.current.links.delete(hash);
  }
}

function isLinkTo(
  link: { readonly bucketId: BucketId; readonly key: ObjectKey },
  bucketId: BucketId,
  key: ObjectKey,
): boolean {
  return link.bucketId === bucketId && link.key === key;
}

function removeObject(holder: Holder, object: KeptObject, at: TimeMs): void {
  const { bucketId, key } = object.version;
  holder.current.objects.delete(addressOf(bucketId, key));
  dropContent(holder, object, at);
  const removed = [versionFootprint(object.version)];
  changeStored(holder, ownerOf(holder, bucketId), footprintChange({ added: [], removed }));
}

function ownerOf(holder: Holder, bucketId: BucketId): AccountId {
  const bucket = holder.current.buckets.get(bucketId);
  assert(bucket, 'a bucket with objects stands');
  return bucket.accountId;
}

export function dropContent(holder: Holder, { content }: KeptObject, at: TimeMs): void {
  for (const { blobId } of content) disown(holder, blobId, at);
}

export function disown(holder: Holder, blobId: BlobId, at: TimeMs): void {
  const kept = holder.current.blobs.get(blobId);
  if (kept === undefined) return;
  const owners = kept.owners - 1;
  holder.current.blobs.set(blobId, { ...kept, owners, diedAt: owners === 0 ? at : undefined });
}

export function accountOf(holder: Holder, accountId: AccountId): Account {
  const account = holder.current.accounts.get(accountId);
  if (account === undefined) throw accountNotFound();
  return account;
}

export function requireOwner(holder: Holder, bucketId: BucketId, accountId: AccountId): void {
  if (holder.current.buckets.get(bucketId)?.accountId !== accountId) throw bucketNotFound();
}

export function changeStored(holder: Holder, accountId: AccountId, change: Footprint): void {
  holder.current.accounts.set(accountId, withChange(accountOf(holder, accountId), change));
}
