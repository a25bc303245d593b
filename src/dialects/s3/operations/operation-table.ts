/**
 * Every operation of S3, what selects it and whether it is served: the one list from which requests
 * are dispatched and docs/compatibility/s3.md is printed.
 */
import type { S3Code } from '../wire/s3-codes.ts';

/** What a caller must be allowed; `own` operations decide for themselves. */
export type Access =
  | 'service'
  | 'bucket.create'
  | 'bucket.identify'
  | 'bucket.read'
  | 'bucket.write'
  | 'list'
  | 'read'
  | 'inspect'
  | 'write'
  | 'delete'
  | 'own';

export type Served = {
  readonly kind: 'served';
  readonly access: Access;
  /** Bodies of objects may come in chunks that are signed one by one. */
  readonly takesBytes?: boolean;
  readonly note?: string;
};

export type Refused = {
  readonly kind: 'refused';
  /** What is answered instead. */
  readonly code: S3Code;
  readonly reason: string;
};

export type Operation = {
  readonly method: string;
  readonly on: 'service' | 'bucket' | 'object';
  /** The parameter that selects it; `''` for the plain request. */
  readonly parameter: string;
  readonly support: Served | Refused;
};

const served = (access: Access, note?: string): Served =>
  note === undefined ? { kind: 'served', access } : { kind: 'served', access, note };
const takesBytes = (access: Access): Served => ({ kind: 'served', access, takesBytes: true });
const refused = (code: S3Code, reason: string): Refused => ({ kind: 'refused', code, reason });

const later = refused('NotImplemented', 'comes with a later version');
const NO_ENCRYPTION = 'objects are not encrypted at rest yet';
const NO_WEBSITE = 'Pinfold serves no websites; public links and public read do that work';

/** By the names of the S3 API reference. */
export const OPERATIONS = {
  ListBuckets: { method: 'GET', on: 'service', parameter: '', support: served('service') },

  CreateBucket: { method: 'PUT', on: 'bucket', parameter: '', support: served('bucket.create') },
  HeadBucket: { method: 'HEAD', on: 'bucket', parameter: '', support: served('bucket.identify') },
  DeleteBucket: { method: 'DELETE', on: 'bucket', parameter: '', support: served('bucket.write') },
  ListObjects: { method: 'GET', on: 'bucket', parameter: '', support: served('list') },
  ListObjectsV2: { method: 'GET', on: 'bucket', parameter: 'list-type', support: served('list') },
  ListObjectVersions: {
    method: 'GET',
    on: 'bucket',
    parameter: 'versions',
    support: served('list', 'each object as its version `null`'),
  },
  ListMultipartUploads: {
    method: 'GET',
    on: 'bucket',
    parameter: 'uploads',
    support: served('list'),
  },
  GetBucketLocation: {
    method: 'GET',
    on: 'bucket',
    parameter: 'location',
    support: served('bucket.identify'),
  },
  GetBucketVersioning: {
    method: 'GET',
    on: 'bucket',
    parameter: 'versioning',
    support: served('bucket.identify', 'never enabled'),
  },
  GetBucketAcl: { method: 'GET', on: 'bucket', parameter: 'acl', support: served('bucket.read') },
  PutBucketAcl: {
    method: 'PUT',
    on: 'bucket',
    parameter: 'acl',
    support: served('bucket.write', 'private ACLs only'),
  },
  GetBucketCors: { method: 'GET', on: 'bucket', parameter: 'cors', support: served('bucket.read') },
  PutBucketCors: {
    method: 'PUT',
    on: 'bucket',
    parameter: 'cors',
    support: served('bucket.write'),
  },
  DeleteBucketCors: {
    method: 'DELETE',
    on: 'bucket',
    parameter: 'cors',
    support: served('bucket.write'),
  },
  GetBucketTagging: {
    method: 'GET',
    on: 'bucket',
    parameter: 'tagging',
    support: served('bucket.read'),
  },
  PutBucketTagging: {
    method: 'PUT',
    on: 'bucket',
    parameter: 'tagging',
    support: served('bucket.write'),
  },
  DeleteBucketTagging: {
    method: 'DELETE',
    on: 'bucket',
    parameter: 'tagging',
    support: served('bucket.write'),
  },
  DeleteObjects: { method: 'POST', on: 'bucket', parameter: 'delete', support: served('own') },
  PostObject: { method: 'POST', on: 'bucket', parameter: '', support: served('own') },

  PutObject: { method: 'PUT', on: 'object', parameter: '', support: takesBytes('write') },
  CopyObject: {
    method: 'PUT',
    on: 'object',
    parameter: '(x-amz-copy-source)',
    support: served('write'),
  },
  GetObject: { method: 'GET', on: 'object', parameter: '', support: served('read') },
  HeadObject: { method: 'HEAD', on: 'object', parameter: '', support: served('read') },
  DeleteObject: { method: 'DELETE', on: 'object', parameter: '', support: served('delete') },
  GetObjectAttributes: {
    method: 'GET',
    on: 'object',
    parameter: 'attributes',
    support: served('inspect'),
  },
  GetObjectTagging: {
    method: 'GET',
    on: 'object',
    parameter: 'tagging',
    support: served('inspect'),
  },
  PutObjectTagging: { method: 'PUT', on: 'object', parameter: 'tagging', support: served('write') },
  DeleteObjectTagging: {
    method: 'DELETE',
    on: 'object',
    parameter: 'tagging',
    support: served('write'),
  },
  GetObjectAcl: { method: 'GET', on: 'object', parameter: 'acl', support: served('inspect') },
  PutObjectAcl: {
    method: 'PUT',
    on: 'object',
    parameter: 'acl',
    support: served('write', 'private ACLs only'),
  },

  CreateMultipartUpload: {
    method: 'POST',
    on: 'object',
    parameter: 'uploads',
    support: served('write'),
  },
  UploadPart: {
    method: 'PUT',
    on: 'object',
    parameter: 'partNumber',
    support: takesBytes('write'),
  },
  UploadPartCopy: {
    method: 'PUT',
    on: 'object',
    parameter: 'partNumber (x-amz-copy-source)',
    support: served('write'),
  },
  ListParts: { method: 'GET', on: 'object', parameter: 'uploadId', support: served('inspect') },
  CompleteMultipartUpload: {
    method: 'POST',
    on: 'object',
    parameter: 'uploadId',
    support: served('write'),
  },
  AbortMultipartUpload: {
    method: 'DELETE',
    on: 'object',
    parameter: 'uploadId',
    support: served('write'),
  },

  GetBucketPolicy: {
    method: 'GET',
    on: 'bucket',
    parameter: 'policy',
    support: refused('NoSuchBucketPolicy', 'no bucket has one yet'),
  },
  GetBucketPolicyStatus: {
    method: 'GET',
    on: 'bucket',
    parameter: 'policyStatus',
    support: refused('NoSuchBucketPolicy', 'no bucket has a policy yet'),
  },
  PutBucketPolicy: { method: 'PUT', on: 'bucket', parameter: 'policy', support: later },
  DeleteBucketPolicy: {
    method: 'DELETE',
    on: 'bucket',
    parameter: 'policy',
    support: served('bucket.write', 'there is none to delete'),
  },
  GetBucketLifecycleConfiguration: {
    method: 'GET',
    on: 'bucket',
    parameter: 'lifecycle',
    support: refused('NoSuchLifecycleConfiguration', 'no bucket has one yet'),
  },
  PutBucketLifecycleConfiguration: {
    method: 'PUT',
    on: 'bucket',
    parameter: 'lifecycle',
    support: later,
  },
  DeleteBucketLifecycle: {
    method: 'DELETE',
    on: 'bucket',
    parameter: 'lifecycle',
    support: served('bucket.write', 'there is none to delete'),
  },
  PutBucketVersioning: { method: 'PUT', on: 'bucket', parameter: 'versioning', support: later },
  GetObjectLockConfiguration: {
    method: 'GET',
    on: 'bucket',
    parameter: 'object-lock',
    support: refused('ObjectLockConfigurationNotFoundError', 'object lock comes later'),
  },
  GetObjectLegalHold: {
    method: 'GET',
    on: 'object',
    parameter: 'legal-hold',
    support: refused('InvalidRequest', 'object lock comes later'),
  },
  GetObjectRetention: {
    method: 'GET',
    on: 'object',
    parameter: 'retention',
    support: refused('InvalidRequest', 'object lock comes later'),
  },
  GetBucketEncryption: {
    method: 'GET',
    on: 'bucket',
    parameter: 'encryption',
    support: refused('ServerSideEncryptionConfigurationNotFoundError', NO_ENCRYPTION),
  },
  PutBucketEncryption: {
    method: 'PUT',
    on: 'bucket',
    parameter: 'encryption',
    support: refused('NotImplemented', NO_ENCRYPTION),
  },
  GetPublicAccessBlock: {
    method: 'GET',
    on: 'bucket',
    parameter: 'publicAccessBlock',
    support: refused('NoSuchPublicAccessBlockConfiguration', 'nothing is public by ACL or policy'),
  },
  GetBucketOwnershipControls: {
    method: 'GET',
    on: 'bucket',
    parameter: 'ownershipControls',
    support: refused('OwnershipControlsNotFoundError', 'the bucket owner owns every object'),
  },
  GetBucketWebsite: {
    method: 'GET',
    on: 'bucket',
    parameter: 'website',
    support: refused('NoSuchWebsiteConfiguration', NO_WEBSITE),
  },
  GetBucketReplication: {
    method: 'GET',
    on: 'bucket',
    parameter: 'replication',
    support: refused('ReplicationConfigurationNotFoundError', 'the blob engine replicates'),
  },
  GetBucketLogging: {
    method: 'GET',
    on: 'bucket',
    parameter: 'logging',
    support: served('bucket.read', 'always empty'),
  },
  GetBucketNotificationConfiguration: {
    method: 'GET',
    on: 'bucket',
    parameter: 'notification',
    support: served('bucket.read', 'always empty'),
  },
  GetBucketRequestPayment: {
    method: 'GET',
    on: 'bucket',
    parameter: 'requestPayment',
    support: served('bucket.read', 'the owner pays'),
  },
  SelectObjectContent: { method: 'POST', on: 'object', parameter: 'select', support: later },
  RestoreObject: {
    method: 'POST',
    on: 'object',
    parameter: 'restore',
    support: refused('NotImplemented', 'nothing is archived: every class is read at once'),
  },
  GetObjectTorrent: {
    method: 'GET',
    on: 'object',
    parameter: 'torrent',
    support: refused('NotImplemented', 'AWS retired it'),
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof OPERATIONS;

/** Those that are served; each has a handler. */
export type ServedName = {
  [Name in OperationName]: (typeof OPERATIONS)[Name]['support']['kind'] extends 'served'
    ? Name
    : never;
}[OperationName];

/**
 * Parameters that select an operation of S3, served or not: a request that bears one never falls
 * through to the plain operation of its method. Those of buckets are looked for on objects too and
 * the reverse: a client that loses its key must not delete the bucket in place of an upload.
 */
export const SUBRESOURCES: readonly string[] = [
  ...['abac', 'accelerate', 'acl', 'analytics', 'annotation', 'attributes', 'cors', 'delete'],
  ...['encryption', 'intelligent-tiering', 'inventory', 'legal-hold', 'lifecycle', 'location'],
  ...['logging', 'metadataAnnotationTable', 'metadataConfiguration', 'metadataInventoryTable'],
  ...[
    'metadataJournalTable',
    'metadataTable',
    'metrics',
    'notification',
    'object-lock',
    'ownershipControls',
    'policy',
  ],
  ...['policyStatus', 'publicAccessBlock', 'renameObject', 'replication', 'requestPayment'],
  ...['restore', 'retention', 'select', 'session', 'tagging', 'torrent', 'uploadId', 'uploads'],
  ...['versioning', 'versions', 'website'],
];
