/** What the headers of a write say of the object, and what they may not ask for. */
import type { ObjectDescription } from '../../../core/objects/object.ts';
import type { RequestHead } from './request-head.ts';
import { invalidArgument, S3Refusal } from './s3-refusal.ts';
import { readTaggingHeader } from './tags.ts';

type Headers = RequestHead['headers'];

/** Names and values together, in bytes. */
const USER_METADATA_BYTES_MAX = 2048;
const DEFAULT_TYPE = 'binary/octet-stream';
const META_PREFIX = 'x-amz-meta-';

/** Headers that are kept and given back as they came. */
const KEPT_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-language',
  'expires',
  'x-amz-website-redirect-location',
] as const;

/** Every class that AWS names; here they are labels. */
const STORAGE_CLASSES: ReadonlySet<string> = new Set([
  ...['STANDARD', 'REDUCED_REDUNDANCY', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING'],
  ...['GLACIER', 'DEEP_ARCHIVE', 'OUTPOSTS', 'GLACIER_IR', 'SNOW', 'EXPRESS_ONEZONE'],
  ...['FSX_OPENZFS', 'FSX_ONTAP'],
]);

/** Throws `MetadataTooLarge`, `InvalidStorageClass`, `InvalidTag`, `InvalidArgument`. */
export function describeObject(headers: Headers): ObjectDescription {
  return {
    contentType: headers['content-type'] || DEFAULT_TYPE,
    headers: keptHeaders(headers),
    userMetadata: userMetadata(headers),
    tags: readTaggingHeader(headers['x-amz-tagging']),
    storageClass: storageClass(headers),
    tier: 'normal',
    origin: 's3',
  };
}

function keptHeaders(headers: Headers): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = headers[name];
    if (value !== undefined && value !== '') kept[name] = value;
  }
  const encoding = contentEncoding(headers['content-encoding']);
  if (encoding !== '') kept['content-encoding'] = encoding;
  const redirect = kept['x-amz-website-redirect-location'];
  if (redirect !== undefined && !/^(?:\/|https?:\/\/)/.test(redirect)) {
    throw new S3Refusal(
      'InvalidRedirectLocation',
      'The website redirect location must have a prefix of http:// or https:// or /.',
    );
  }
  return kept;
}

/** Without `aws-chunked`, which is the frame's and not the object's. */
function contentEncoding(text: string | undefined): string {
  if (text === undefined) return '';
  if (!text.toLowerCase().includes('aws-chunked')) return text;
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one.toLowerCase() !== 'aws-chunked')
    .join(', ');
}

function userMetadata(headers: Headers): Readonly<Record<string, string>> {
  // Without a prototype: a name may be `__proto__`.
  const metadata: Record<string, string> = Object.create(null);
  let sizeBytes = 0;
  for (const name in headers) {
    if (!name.startsWith(META_PREFIX)) continue;
    const value = headers[name] ?? '';
    metadata[name.slice(META_PREFIX.length)] = value;
    sizeBytes += name.length - META_PREFIX.length + value.length;
  }
  if (sizeBytes > USER_METADATA_BYTES_MAX) {
    throw new S3Refusal('MetadataTooLarge', undefined, {
      Size: sizeBytes,
      MaxSizeAllowed: USER_METADATA_BYTES_MAX,
    });
  }
  return { ...metadata };
}

function storageClass(headers: Headers): string {
  const text = headers['x-amz-storage-class'];
  if (text === undefined || text === '') return 'STANDARD';
  if (STORAGE_CLASSES.has(text)) return text;
  throw new S3Refusal('InvalidStorageClass', undefined, { StorageClassRequested: text });
}

/** ACLs that say what is so anyhow: the owner alone. */
const PRIVATE_ACLS: ReadonlySet<string> = new Set([
  'private',
  'bucket-owner-full-control',
  'bucket-owner-read',
]);

/**
 * Holds a canned ACL to what is so: the owner has everything, and where `isPublic` anyone reads.
 * Throws `AccessControlListNotSupported`, `InvalidArgument`.
 */
export function requireTrueAcl(
  headers: Headers,
  { isPublic }: { readonly isPublic: boolean },
): void {
  const acl = headers['x-amz-acl'];
  if (acl === undefined || PRIVATE_ACLS.has(acl)) return;
  if (isPublic && acl === 'public-read') return;
  if (!KNOWN_ACLS.has(acl)) throw invalidArgument('There is no such ACL.', 'x-amz-acl', acl);
  throw new S3Refusal('AccessControlListNotSupported');
}

const KNOWN_ACLS: ReadonlySet<string> = new Set([
  ...['public-read', 'public-read-write', 'authenticated-read', 'aws-exec-read'],
  ...['log-delivery-write'],
]);

const ENCRYPTION = 'x-amz-server-side-encryption';

/**
 * Refuses encryption that would be promised and not kept. `AES256` is accepted: S3 would do it
 * unasked. Throws `NotImplemented`, and `InvalidArgument` for parts of KMS without it.
 */
export function refuseUnkept(headers: Headers): void {
  const encryption = headers[ENCRYPTION];
  if (encryption?.startsWith('aws:') === true) {
    throw new S3Refusal('NotImplemented', 'Encryption by KMS keys is not supported.', {
      Header: ENCRYPTION,
    });
  }
  if (encryption !== undefined && encryption !== 'AES256') {
    throw invalidArgument(
      'The encryption method specified is not supported',
      ENCRYPTION,
      encryption,
    );
  }
  for (const part of ['aws-kms-key-id', 'context', 'bucket-key-enabled']) {
    const name = `${ENCRYPTION}-${part}`;
    const value = headers[name];
    if (value === undefined || (part === 'bucket-key-enabled' && value === 'false')) continue;
    throw invalidArgument(
      `Server Side Encryption with AWS KMS managed key requires HTTP header ${ENCRYPTION} : aws:kms`,
      name,
      value,
    );
  }
}
