/** All that the memory engine keeps. Values are immutable, so a copy of the maps is a snapshot. */
import type { AuditEntry } from '../../../core/audit.ts';
import type { UploadOperation } from '../../../core/files/operation.ts';
import type { PublicLink } from '../../../core/files/public-link.ts';
import type { Account, ApiToken, Session } from '../../../core/identity/account/account.ts';
import type { S3Key } from '../../../core/identity/s3-keys/s3-key.ts';
import type {
  AccessKeyId,
  AccountId,
  BlobId,
  BucketId,
  LinkHash,
  OperationId,
  SessionId,
  TimeMs,
  TokenId,
  UploadId,
  WalletAddress,
} from '../../../core/ids.ts';
import type { Bucket } from '../../../core/objects/buckets/bucket.ts';
import type { MultipartUpload, UploadPart } from '../../../core/objects/multipart/upload.ts';
import type { ObjectVersion, PartChecksum } from '../../../core/objects/object.ts';
import type { BlobRef } from '../../../core/ports/blob-store.ts';
import type { UsageDelta } from '../../../core/usage.ts';

export type KeptObject = {
  readonly version: ObjectVersion;
  /** Blobs by number: where they are stands in `blobs` alone. */
  readonly content: readonly {
    readonly blobId: BlobId;
    readonly sizeBytes: number;
    readonly checksum: PartChecksum | undefined;
  }[];
};

export type KeptBlob = {
  readonly blob: BlobRef;
  readonly owners: number;
  readonly diedAt: TimeMs | undefined;
};

export type KeptPart = {
  readonly uploadId: UploadId;
  readonly part: UploadPart;
  readonly blobId: BlobId | undefined;
};

export type MemoryState = {
  readonly accounts: Map<AccountId, Account>;
  readonly wallets: Map<WalletAddress, AccountId>;
  readonly buckets: Map<BucketId, Bucket>;
  /** By `addressOf` bucket and key. */
  readonly objects: Map<string, KeptObject>;
  readonly blobs: Map<BlobId, KeptBlob>;
  readonly uploads: Map<UploadId, MultipartUpload>;
  /** By `addressOfPart`. */
  readonly uploadParts: Map<string, KeptPart>;
  readonly operations: Map<OperationId, UploadOperation>;
  readonly links: Map<LinkHash, PublicLink>;
  /** When each expires. */
  readonly spentNonces: Map<string, TimeMs>;
  readonly sessions: Map<SessionId, Session>;
  readonly tokens: Map<TokenId, ApiToken>;
  readonly s3Keys: Map<AccessKeyId, S3Key>;
  /** Numbers given to buckets so far. */
  readonly bucketsMade: { count: number };
  readonly usage: UsageDelta[];
  readonly audit: AuditEntry[];
};

/** What reads and writes act on: the engine's state, or a transaction's copy of it. */
export type Holder = { current: MemoryState };

export function emptyState(): MemoryState {
  return {
    accounts: new Map(),
    wallets: new Map(),
    buckets: new Map(),
    objects: new Map(),
    blobs: new Map(),
    uploads: new Map(),
    uploadParts: new Map(),
    operations: new Map(),
    links: new Map(),
    spentNonces: new Map(),
    sessions: new Map(),
    tokens: new Map(),
    s3Keys: new Map(),
    bucketsMade: { count: 0 },
    usage: [],
    audit: [],
  };
}

export function copyOf(state: MemoryState): MemoryState {
  return {
    accounts: new Map(state.accounts),
    wallets: new Map(state.wallets),
    buckets: new Map(state.buckets),
    objects: new Map(state.objects),
    blobs: new Map(state.blobs),
    uploads: new Map(state.uploads),
    uploadParts: new Map(state.uploadParts),
    operations: new Map(state.operations),
    links: new Map(state.links),
    spentNonces: new Map(state.spentNonces),
    sessions: new Map(state.sessions),
    tokens: new Map(state.tokens),
    s3Keys: new Map(state.s3Keys),
    bucketsMade: { ...state.bucketsMade },
    usage: [...state.usage],
    audit: [...state.audit],
  };
}

export function addressOf(bucketId: BucketId, key: string): string {
  return `${bucketId}/${key}`;
}

export function addressOfPart(uploadId: UploadId, partNumber: number): string {
  return `${uploadId}/${partNumber}`;
}

/** Order of text as every engine has it: by the bytes of its UTF-8. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

/** Removes at most `limit` entries that `isOver` holds for; answers how many. */
export function deleteWhere<K, V>(
  map: Map<K, V>,
  isOver: (value: V) => boolean,
  limit: number,
): number {
  let count = 0;
  for (const [key, value] of map) {
    if (count >= limit) break;
    if (!isOver(value)) continue;
    map.delete(key);
    count += 1;
  }
  return count;
}

export function isBefore(time: number | undefined, limit: number): boolean {
  return time !== undefined && time < limit;
}

/** A repeated id is a fault of the program, as a unique index would say. */
export function insertNew<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (map.has(key)) throw new Error('a row of that id stands already');
  map.set(key, value);
}
