/** ListObjects and ListObjectsV2: one page of keys, with common prefixes rolled up. */
import { formatCursor, parseCursor } from '../../../core/files/list-files.ts';
import type { ObjectVersion } from '../../../core/objects/object.ts';
import type { ListEntry, ListPage, ListPosition } from '../../../core/ports/metadata/objects.ts';
import { type Xml, xmlElement, xmlList, xmlText } from '../../../kit/xml/xml-format.ts';
import { ownerElement } from '../access/owner.ts';
import type { S3Deps } from '../deps.ts';
import { answerXml } from '../wire/answers.ts';
import type { Call } from '../wire/exchange.ts';
import { invalidArgument } from '../wire/s3-refusal.ts';
import { xmlTime } from '../wire/xml-time.ts';
import {
  type NameEncoding,
  nameOf,
  positionAfter,
  prefixElement,
  readEncoding,
  readPageLength,
} from './list-query.ts';

export async function listObjects(deps: S3Deps, call: Call): Promise<void> {
  const { query } = call.head;
  const encoding = readEncoding(query);
  const limit = readPageLength(query, 'max-keys');
  const marker = query.get('marker') ?? '';
  const after: ListPosition | undefined =
    marker === '' ? undefined : { kind: 'afterKey', key: marker };
  const page = await pageOf(deps, call, { after, limit });
  const last = page.entries.at(-1);
  const next = page.isTruncated && last !== undefined ? encoding.of(nameOf(last)) : undefined;
  const owner = await ownerOf(deps, call);
  answerXml(
    call,
    'ListBucketResult',
    xmlText('Name', call.bucket.name),
    xmlText('Prefix', encoding.of(query.get('prefix') ?? '')),
    xmlText('Marker', encoding.of(marker)),
    xmlText('NextMarker', next),
    ...frameElements(call, { encoding, limit, isTruncated: page.isTruncated }),
    entryElements(page.entries, encoding, owner),
  );
}

export async function listObjectsV2(deps: S3Deps, call: Call): Promise<void> {
  const { query } = call.head;
  const encoding = readEncoding(query);
  const limit = readPageLength(query, 'max-keys');
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const page = await pageOf(deps, call, { after: startOf(token, startAfter), limit });
  const last = page.entries.at(-1);
  const next = page.isTruncated && last !== undefined ? positionAfter(last) : undefined;
  const owner = query.get('fetch-owner') === 'true' ? await ownerOf(deps, call) : undefined;
  answerXml(
    call,
    'ListBucketResult',
    xmlText('Name', call.bucket.name),
    xmlText('Prefix', encoding.of(query.get('prefix') ?? '')),
    xmlText('StartAfter', startAfter === undefined ? undefined : encoding.of(startAfter)),
    xmlText('ContinuationToken', token),
    xmlText('NextContinuationToken', next && formatCursor(next)),
    xmlText('KeyCount', page.entries.length),
    ...frameElements(call, { encoding, limit, isTruncated: page.isTruncated }),
    entryElements(page.entries, encoding, owner),
  );
}

/** A token goes before a key to start after. */
function startOf(
  token: string | undefined,
  startAfter: string | undefined,
): ListPosition | undefined {
  if (token !== undefined) {
    try {
      return parseCursor(token);
    } catch {
      throw invalidArgument(
        'The continuation token provided is incorrect',
        'continuation-token',
        token,
      );
    }
  }
  return startAfter ? { kind: 'afterKey', key: startAfter } : undefined;
}

async function pageOf(
  { metadata }: S3Deps,
  { head, bucket }: Call,
  { after, limit }: { readonly after: ListPosition | undefined; readonly limit: number },
): Promise<ListPage> {
  if (limit === 0) return { entries: [], isTruncated: false };
  return await metadata.listObjects({
    bucketId: bucket.bucketId,
    prefix: head.query.get('prefix') ?? '',
    delimiter: head.query.get('delimiter') ?? '',
    after,
    limit,
  });
}

function frameElements(
  { head }: Call,
  page: { readonly encoding: NameEncoding; readonly limit: number; readonly isTruncated: boolean },
): readonly Xml[] {
  const delimiter = head.query.get('delimiter');
  return [
    xmlText('MaxKeys', page.limit),
    xmlText('Delimiter', delimiter ? page.encoding.of(delimiter) : undefined),
    xmlText('EncodingType', page.encoding.kind),
    xmlText('IsTruncated', page.isTruncated),
  ];
}

/** `<Owner>` of every key, which is the bucket's. */
export async function ownerOf({ metadata }: S3Deps, { bucket }: Call): Promise<Xml | undefined> {
  const account = await metadata.findAccount(bucket.accountId);
  return account && ownerElement('Owner', account);
}

/** Keys first, then common prefixes, as AWS writes them. */
function entryElements(
  entries: readonly ListEntry[],
  encoding: NameEncoding,
  owner: Xml | undefined,
): Xml {
  const contents: Xml[] = [];
  const prefixes: Xml[] = [];
  for (const entry of entries) {
    if (entry.kind === 'prefix') prefixes.push(prefixElement(entry.prefix, encoding));
    else contents.push(contentsElement(entry.object, encoding, owner));
  }
  return xmlList([...contents, ...prefixes]);
}

function contentsElement(
  object: ObjectVersion,
  encoding: NameEncoding,
  owner: Xml | undefined,
): Xml {
  const { checksum } = object;
  return xmlElement(
    'Contents',
    xmlText('Key', encoding.of(object.key)),
    xmlText('LastModified', xmlTime(object.createdAt)),
    xmlText('ETag', `"${object.etag}"`),
    checksum && xmlText('ChecksumAlgorithm', checksum.algorithm),
    checksum?.second && xmlText('ChecksumAlgorithm', checksum.second.algorithm),
    checksum && xmlText('ChecksumType', checksum.type),
    xmlText('Size', object.sizeBytes),
    owner,
    xmlText('StorageClass', object.storageClass),
  );
}
