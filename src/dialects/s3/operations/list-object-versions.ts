/** ListObjectVersions without versioning: each object is its latest and only version, `null`. */
import type { ObjectVersion } from '../../../core/objects/object.ts';
import type { ListPosition } from '../../../core/ports/metadata/objects.ts';
import { type Xml, xmlElement, xmlList, xmlText } from '../../../kit/xml/xml-format.ts';
import type { S3Deps } from '../deps.ts';
import { answerXml } from '../wire/answers.ts';
import type { Call } from '../wire/exchange.ts';
import { invalidArgument } from '../wire/s3-refusal.ts';
import { xmlTime } from '../wire/xml-time.ts';
import { ownerOf } from './list-objects.ts';
import {
  type NameEncoding,
  nameOf,
  prefixElement,
  readEncoding,
  readPageLength,
} from './list-query.ts';

export async function listObjectVersions(deps: S3Deps, call: Call): Promise<void> {
  const { query } = call.head;
  const encoding = readEncoding(query);
  const limit = readPageLength(query, 'max-keys');
  const { keyMarker, versionMarker } = readMarkers(query);
  const page =
    limit === 0
      ? { entries: [], isTruncated: false }
      : await deps.metadata.listObjects({
          bucketId: call.bucket.bucketId,
          prefix: query.get('prefix') ?? '',
          delimiter: query.get('delimiter') ?? '',
          after: positionOf(keyMarker),
          limit,
        });
  const owner = await ownerOf(deps, call);
  const last = page.isTruncated ? page.entries.at(-1) : undefined;
  const delimiter = query.get('delimiter');
  const versions = page.entries.flatMap((entry) =>
    entry.kind === 'object' ? [versionElement(entry.object, encoding, owner)] : [],
  );
  const prefixes = page.entries.flatMap((entry) =>
    entry.kind === 'prefix' ? [prefixElement(entry.prefix, encoding)] : [],
  );
  answerXml(
    call,
    'ListVersionsResult',
    xmlText('Name', call.bucket.name),
    xmlText('Prefix', encoding.of(query.get('prefix') ?? '')),
    xmlText('KeyMarker', encoding.of(keyMarker)),
    xmlText('VersionIdMarker', versionMarker),
    xmlText('NextKeyMarker', last && encoding.of(nameOf(last))),
    xmlText('NextVersionIdMarker', last?.kind === 'object' ? 'null' : undefined),
    xmlText('MaxKeys', limit),
    xmlText('Delimiter', delimiter ? encoding.of(delimiter) : undefined),
    xmlText('EncodingType', encoding.kind),
    xmlText('IsTruncated', page.isTruncated),
    xmlList([...versions, ...prefixes]),
  );
}

/** A version marker says where in a key's versions to go on; of one version there is no rest. */
function readMarkers(query: ReadonlyMap<string, string>): {
  readonly keyMarker: string;
  readonly versionMarker: string;
} {
  const keyMarker = query.get('key-marker') ?? '';
  const versionMarker = query.get('version-id-marker') ?? '';
  if (versionMarker !== '' && keyMarker === '') {
    throw invalidArgument(
      'A version-id marker cannot be specified without a key marker.',
      'version-id-marker',
      versionMarker,
    );
  }
  return { keyMarker, versionMarker };
}

function positionOf(keyMarker: string): ListPosition | undefined {
  return keyMarker === '' ? undefined : { kind: 'afterKey', key: keyMarker };
}

function versionElement(
  object: ObjectVersion,
  encoding: NameEncoding,
  owner: Xml | undefined,
): Xml {
  return xmlElement(
    'Version',
    xmlText('Key', encoding.of(object.key)),
    xmlText('VersionId', object.versionId),
    xmlText('IsLatest', true),
    xmlText('LastModified', xmlTime(object.createdAt)),
    xmlText('ETag', `"${object.etag}"`),
    xmlText('Size', object.sizeBytes),
    owner,
    xmlText('StorageClass', object.storageClass),
  );
}
