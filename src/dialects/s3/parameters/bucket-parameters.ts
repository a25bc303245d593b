/** How the operations on buckets, and on the service, take their parameters. */
import { DIGESTS, GRANTS } from './header-groups.ts';
import { ACL_ELEMENTS, TAGGING_ELEMENTS } from './object-parameters.ts';
import { type OperationParameters, parameters, refusedAs } from './parameter-rules.ts';

const PLAIN = parameters({});

/** Of objects that were restored from an archive; there is none. */
const OPTIONAL_ATTRIBUTES = ['x-amz-optional-object-attributes'] as const;
const PAGES = ['delimiter', 'encoding-type', 'max-keys', 'prefix'] as const;

const listing = (...names: readonly string[]): OperationParameters =>
  parameters({
    headers: { harmless: OPTIONAL_ATTRIBUTES },
    query: { honoured: [...PAGES, ...names] },
  });

export const BUCKET_PARAMETERS = {
  ListBuckets: parameters({
    query: { honoured: ['bucket-region', 'continuation-token', 'max-buckets', 'prefix'] },
  }),
  CreateBucket: parameters({
    headers: {
      honoured: ['x-amz-acl', 'x-amz-bucket-object-lock-enabled', 'x-amz-object-ownership'],
      refused: {
        ...GRANTS,
        ...refusedAs('NotImplemented', 'bucket names are of the whole server', [
          'x-amz-bucket-namespace',
        ]),
      },
    },
    elements: {
      honoured: ['LocationConstraint', 'Tags', 'Tags/Tag', 'Tags/Tag/Key', 'Tags/Tag/Value'],
      refused: refusedAs('NotImplemented', 'of directory buckets only', [
        ...['Bucket', 'Bucket/DataRedundancy', 'Bucket/Type'],
        ...['Location', 'Location/Name', 'Location/Type'],
      ]),
    },
  }),
  HeadBucket: PLAIN,
  DeleteBucket: PLAIN,
  ListObjects: listing('list-type', 'marker'),
  ListObjectsV2: listing('continuation-token', 'fetch-owner', 'list-type', 'start-after'),
  ListObjectVersions: listing('key-marker', 'version-id-marker'),
  ListMultipartUploads: parameters({
    query: {
      honoured: [
        ...['delimiter', 'encoding-type', 'key-marker', 'max-uploads', 'prefix'],
        'upload-id-marker',
      ],
    },
  }),
  GetBucketLocation: PLAIN,
  GetBucketVersioning: PLAIN,
  GetBucketAcl: PLAIN,
  PutBucketAcl: parameters({
    headers: { honoured: [...DIGESTS, 'x-amz-acl'], refused: GRANTS },
    elements: ACL_ELEMENTS,
  }),
  GetBucketCors: PLAIN,
  PutBucketCors: parameters({
    headers: { honoured: DIGESTS },
    elements: {
      honoured: [
        ...['CORSRule', 'CORSRule/AllowedHeader', 'CORSRule/AllowedMethod'],
        ...['CORSRule/AllowedOrigin', 'CORSRule/ExposeHeader', 'CORSRule/ID'],
        'CORSRule/MaxAgeSeconds',
      ],
    },
  }),
  DeleteBucketCors: PLAIN,
  GetBucketTagging: PLAIN,
  PutBucketTagging: parameters({
    headers: { honoured: DIGESTS },
    elements: TAGGING_ELEMENTS,
  }),
  DeleteBucketTagging: PLAIN,
  DeleteBucketPolicy: PLAIN,
  DeleteBucketLifecycle: PLAIN,
  GetBucketLogging: PLAIN,
  GetBucketNotificationConfiguration: PLAIN,
  GetBucketRequestPayment: PLAIN,
  DeleteObjects: parameters({
    headers: { honoured: DIGESTS, harmless: ['x-amz-bypass-governance-retention'] },
    elements: {
      honoured: [
        ...['Object', 'Object/ETag', 'Object/Key', 'Object/LastModifiedTime', 'Object/Size'],
        ...['Object/VersionId', 'Quiet'],
      ],
    },
  }),
  // What an upload is to be stands in the fields of its form.
  PostObject: PLAIN,
} as const;
