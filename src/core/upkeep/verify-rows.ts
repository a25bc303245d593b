/** Recounts what rows keep as sums, and follows every reference, on the rows of one moment. */
import type { AccountId, BucketId } from '../ids.ts';
import { type Footprint, footprint } from '../objects/commit/footprint.ts';
import type {
  AccountRow,
  BucketRow,
  MetadataSnapshot,
  NamedBlob,
  OwnerRow,
} from '../ports/metadata/snapshot.ts';
import type { UpkeepOptions } from '../ports/upkeep-progress.ts';
import type { Findings } from './finding.ts';
import { Tally } from './tally.ts';

export type CheckedRows = {
  readonly accounts: number;
  readonly buckets: number;
  /** Objects, former versions and parts of open uploads. */
  readonly owners: number;
  readonly links: number;
  /** Live ones. */
  readonly blobs: number;
  readonly blobBytes: bigint;
};

/** What is counted while owners and lists are gone through, to be compared afterwards. */
type Counts = {
  readonly owners: Tally;
  readonly lists: Tally;
  readonly listParts: Tally;
  readonly sums: Map<BucketId, Sums>;
};

/** Of a bucket or an account, as `Footprint` has them. */
type Sums = { readonly stored: bigint; readonly counted: bigint };

const NOTHING: Sums = { stored: 0n, counted: 0n };

/** Stops early, with what it has, when the signal fires; the caller then throws. */
export async function verifyRows(
  snapshot: MetadataSnapshot,
  findings: Findings,
  { signal, onProgress }: UpkeepOptions,
): Promise<CheckedRows> {
  let done = 0;
  const each = async <T>(
    pages: AsyncIterable<readonly T[]>,
    check: (row: T) => void,
  ): Promise<number> => {
    let rows = 0;
    for await (const page of pages) {
      if (signal.aborted) break;
      for (const row of page) check(row);
      rows += page.length;
      done += page.length;
      onProgress({ step: 'rows', done, total: undefined });
    }
    return rows;
  };
  const counts: Counts = {
    owners: new Tally(),
    lists: new Tally(),
    listParts: new Tally(),
    sums: new Map(),
  };
  const buckets = new Map<BucketId, BucketRow>();
  await each(snapshot.buckets(), (bucket) => buckets.set(bucket.bucketId, bucket));
  const owners = await each(snapshot.owners(), (owner) =>
    checkOwner(owner, { counts, buckets, findings }),
  );
  await each(snapshot.openUploads(), ({ bucketId, describedBytes }) => {
    addTo(counts.sums, bucketId, sumsOf(footprint(0, describedBytes)));
  });
  await each(snapshot.listParts(), ({ listId, blobId, sizeBytes, blob }) => {
    counts.owners.add(blobId);
    counts.listParts.add(listId);
    checkNamedBlob(blob, { by: `content list ${listId}`, blobId, findings, leastBytes: sizeBytes });
  });
  await each(snapshot.lists(), (list) => checkList(list, counts, findings));
  let blobBytes = 0n;
  let dead = 0;
  const blobs = await each(snapshot.blobs(), ({ blobId, owners: kept, sizeBytes, isDead }) => {
    if (isDead) dead += 1;
    else blobBytes += BigInt(sizeBytes);
    const counted = counts.owners.count(blobId);
    if (counted === kept && isDead === (kept === 0)) return;
    findings.add({
      kind: 'owners_wrong',
      subject: `blob ${blobId}`,
      detail: `its row counts ${kept} owners${isDead ? ' and is dead' : ''}, rows name it ${counted} times`,
      blobId,
    });
  });
  const accounts = await checkAccounts(snapshot, { each, counts, buckets, findings });
  const links = await each(snapshot.links(), ({ hash, bucketId, accountId }) => {
    if (buckets.get(bucketId)?.accountId === accountId) return;
    const detail = `it names bucket ${bucketId}, which its account does not have`;
    findings.add({ kind: 'reference_broken', subject: `link ${hash}`, detail, accountId });
  });
  return { accounts, buckets: buckets.size, owners, links, blobs: blobs - dead, blobBytes };
}

function checkOwner(
  owner: OwnerRow,
  on: {
    readonly counts: Counts;
    readonly buckets: ReadonlyMap<BucketId, BucketRow>;
    readonly findings: Findings;
  },
): void {
  const { bucketId, sizeBytes, describedBytes, content } = owner;
  const { counts, buckets, findings } = on;
  const subject = subjectOf(owner, buckets);
  const broken = (detail: string) => findings.add({ kind: 'reference_broken', subject, detail });
  if (bucketId === undefined) broken('its upload has no row');
  else {
    if (!buckets.has(bucketId)) broken(`it is in bucket ${bucketId}, which has no row`);
    addTo(counts.sums, bucketId, sumsOf(footprint(sizeBytes, describedBytes)));
  }
  switch (content.kind) {
    case 'none':
      if (sizeBytes !== 0) broken(`it has ${sizeBytes} bytes and names none`);
      break;
    case 'blob': {
      const { blobId, blob } = content;
      counts.owners.add(blobId);
      checkNamedBlob(blob, { by: subject, blobId, findings, leastBytes: sizeBytes });
      if (blob !== undefined && blob.sizeBytes > sizeBytes) {
        broken(`it has ${sizeBytes} bytes, and blob ${blobId} has ${blob.sizeBytes}`);
      }
      break;
    }
    case 'list': {
      const { listId, sizeBytes: listed } = content;
      counts.lists.add(listId);
      if (listed === undefined) broken(`content list ${listId} has no parts`);
      else if (listed !== sizeBytes) {
        broken(`it has ${sizeBytes} bytes, and content list ${listId} has ${listed}`);
      }
      break;
    }
  }
}

/** What names a blob names one that lives and is long enough. */
function checkNamedBlob(
  blob: NamedBlob,
  named: {
    readonly by: string;
    readonly blobId: number;
    readonly leastBytes: number;
    readonly findings: Findings;
  },
): void {
  const { by, blobId, leastBytes, findings } = named;
  const detail =
    blob === undefined
      ? `it names blob ${blobId}, which has no row`
      : blob.isDead
        ? `it names blob ${blobId}, which is dead`
        : blob.sizeBytes < leastBytes
          ? `it takes ${leastBytes} bytes of blob ${blobId}, which has ${blob.sizeBytes}`
          : undefined;
  if (detail !== undefined) findings.add({ kind: 'reference_broken', subject: by, detail });
}

function checkList(
  list: { readonly listId: number; readonly partCount: number },
  counts: Counts,
  findings: Findings,
): void {
  const { listId, partCount } = list;
  const subject = `content list ${listId}`;
  const named = counts.lists.count(listId);
  const parts = counts.listParts.count(listId);
  if (named !== 1) {
    const detail = `rows name it ${named} times, and it belongs to one`;
    findings.add({ kind: 'reference_broken', subject, detail });
  }
  if (parts !== partCount) {
    const detail = `it says ${partCount} parts and has ${parts}`;
    findings.add({ kind: 'reference_broken', subject, detail });
  }
}

async function checkAccounts(
  snapshot: MetadataSnapshot,
  on: {
    readonly each: <T>(
      pages: AsyncIterable<readonly T[]>,
      check: (row: T) => void,
    ) => Promise<number>;
    readonly counts: Counts;
    readonly buckets: ReadonlyMap<BucketId, BucketRow>;
    readonly findings: Findings;
  },
): Promise<number> {
  const { each, counts, buckets, findings } = on;
  const sums = new Map<AccountId, Sums>();
  for (const { bucketId, accountId } of buckets.values()) {
    addTo(sums, accountId, counts.sums.get(bucketId) ?? NOTHING);
  }
  const ownerless = new Set(sums.keys());
  const check = (row: AccountRow) => {
    const { accountId, slug, defaultBucketId, storedBytes, countedBytes } = row;
    ownerless.delete(accountId);
    const subject = `account ${slug}`;
    const { stored, counted } = sums.get(accountId) ?? NOTHING;
    if (stored !== storedBytes) {
      const detail = `its row says ${storedBytes} stored bytes, its objects have ${stored}`;
      findings.add({ kind: 'stored_bytes_wrong', subject, detail, accountId });
    }
    if (counted !== countedBytes) {
      const detail = `its row says ${countedBytes} counted bytes, its rows count ${counted}`;
      findings.add({ kind: 'counted_bytes_wrong', subject, detail, accountId });
    }
    if (buckets.get(defaultBucketId)?.accountId !== accountId) {
      const detail = `its default bucket ${defaultBucketId} is not one of its buckets`;
      findings.add({ kind: 'reference_broken', subject, detail, accountId });
    }
  };
  const accounts = await each(snapshot.accounts(), check);
  for (const { name, accountId } of buckets.values()) {
    if (!ownerless.has(accountId)) continue;
    const detail = `its account ${accountId} has no row`;
    findings.add({ kind: 'reference_broken', subject: `bucket ${name}`, detail, accountId });
  }
  return accounts;
}

function addTo<Key>(sums: Map<Key, Sums>, key: Key, { stored, counted }: Sums): void {
  const standing = sums.get(key) ?? NOTHING;
  sums.set(key, { stored: standing.stored + stored, counted: standing.counted + counted });
}

function sumsOf({ storedBytes, countedBytes }: Footprint): Sums {
  return { stored: BigInt(storedBytes), counted: BigInt(countedBytes) };
}

function subjectOf(
  { kind, bucketId, key }: OwnerRow,
  buckets: ReadonlyMap<BucketId, BucketRow>,
): string {
  const bucket = bucketId === undefined ? undefined : buckets.get(bucketId);
  return `${kind} ${bucket?.name ?? bucketId ?? '?'}/${key}`;
}
