/** GetObjectAttributes: what is known of an object without its bytes. */
import type { StoredObject } from '../../../core/objects/object.ts';
import { countParts, type ObjectPart, partsOf } from '../../../core/objects/read/object-parts.ts';
import { type Xml, xmlElement, xmlText } from '../../../kit/xml/xml-format.ts';
import type { S3Deps } from '../deps.ts';
import { answerDocument, resultElement } from '../wire/answers.ts';
import { checksumElement, checksumElements } from '../wire/checksum-elements.ts';
import type { ObjectCall } from '../wire/exchange.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { missingKey } from './get-object.ts';
import { requireNullVersion } from './version-id.ts';

const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const;
type Attribute = (typeof ATTRIBUTES)[number];

const PARTS_LISTED_MAX = 1000;

export async function getObjectAttributes(deps: S3Deps, call: ObjectCall): Promise<void> {
  requireNullVersion(call.head.query);
  const wanted = readWanted(call.head.headers['x-amz-object-attributes']);
  const page = readPage(call);
  const object = await deps.metadata.findObject(call.bucket.bucketId, call.key);
  if (object === undefined) throw missingKey(call, call.key);
  const elements = ATTRIBUTES.filter((name) => wanted.has(name)).map((name) =>
    attributeElement(name, object, page),
  );
  answerDocument(
    call,
    {
      status: 200,
      headers: { 'last-modified': new Date(object.createdAt).toUTCString() },
    },
    resultElement('GetObjectAttributesResponse', ...elements),
  );
}

function readWanted(text: string | undefined): ReadonlySet<Attribute> {
  const names = (text ?? '').split(',').map((one) => one.trim());
  if (names.every((name) => name === '')) {
    throw new S3Refusal(
      'InvalidRequest',
      'The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty',
    );
  }
  const wanted = new Set<Attribute>();
  for (const name of names) {
    const known = ATTRIBUTES.find((one) => one === name);
    if (known === undefined) {
      throw invalidArgument('Invalid attribute name specified.', 'x-amz-object-attributes', name);
    }
    wanted.add(known);
  }
  return wanted;
}

type Page = { readonly after: number; readonly limit: number };

function readPage({ head }: ObjectCall): Page {
  // AWS ignores what is no number here.
  const text = head.headers['x-amz-max-parts'] ?? '';
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : PARTS_LISTED_MAX;
  const name = 'x-amz-part-number-marker';
  return {
    after: numberOf(name, head.headers[name]) ?? 0,
    limit: Math.min(limit, PARTS_LISTED_MAX),
  };
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalidArgument(`${name} must be a whole number.`, name, text);
}

function attributeElement(name: Attribute, object: StoredObject, page: Page): Xml | undefined {
  switch (name) {
    case 'ETag':
      return xmlText('ETag', object.etag);
    case 'Checksum':
      return object.checksum && xmlElement('Checksum', ...checksumElements(object.checksum));
    case 'ObjectParts':
      return partsElement(object, page);
    case 'StorageClass':
      return xmlText('StorageClass', object.storageClass);
    case 'ObjectSize':
      return xmlText('ObjectSize', object.sizeBytes);
  }
}

/** Parts are listed with number and size, and with their checksums where they have them. */
function partsElement(object: StoredObject, { after, limit }: Page): Xml | undefined {
  const count = countParts(object);
  if (count === undefined) return undefined;
  const total = xmlText('PartsCount', count);
  const shown = partsOf(object)
    .filter(({ partNumber }) => partNumber > after)
    .slice(0, limit);
  const last = shown.at(-1)?.partNumber ?? after;
  return xmlElement(
    'ObjectParts',
    total,
    xmlText('PartNumberMarker', after),
    xmlText('NextPartNumberMarker', last),
    xmlText('MaxParts', limit),
    xmlText('IsTruncated', last < count && shown.length > 0),
    ...shown.map((part) =>
      xmlElement(
        'Part',
        xmlText('PartNumber', part.partNumber),
        xmlText('Size', part.sizeBytes),
        ...partChecksumElements(object, part),
      ),
    ),
  );
}

function partChecksumElements({ checksum }: StoredObject, part: ObjectPart): readonly Xml[] {
  if (checksum === undefined || part.checksum === undefined) return [];
  const { value, second } = part.checksum;
  const first = checksumElement({ algorithm: checksum.algorithm, value });
  return second === undefined ? [first] : [first, checksumElement(second)];
}
