/**
 * Operations of S3 that are not served and have no row in the table: each is answered 501
 * `NotImplemented`, and docs/compatibility/s3.md gives the reason.
 */

export type UnservedOperation = {
  readonly name: string;
  readonly method: string;
  readonly on: 'bucket' | 'object';
  readonly parameter: string;
  readonly reason: string;
};

const row = (
  name: string,
  request: string,
  reason: string,
  on: UnservedOperation['on'] = 'bucket',
): UnservedOperation => {
  const [method = '', parameter = ''] = request.split(' ?');
  return { name, method, on, parameter, reason };
};

const LOCK = 'object lock comes with a later version';
const WEBSITE = 'Pinfold serves no websites';
const REPLICATION = 'replicating is what a blob engine does';
const LOGGING = 'the log of the server has every request';
const EVENTS = 'there are no event notifications';
const PAYER = 'the owner of a bucket pays';
const ACCESS_BLOCK = 'nothing is public by ACL or policy, so there is nothing to block';
const OWNERSHIP = 'the owner of a bucket owns its objects';
const REPORTS = 'there are no storage reports; metrics and usage are over HTTP';
const CLASSES = 'storage classes are labels';
const ONE_PLACE = 'there is one endpoint';
const TABLES = 'there are no S3 tables';
const DIRECTORIES = 'of directory buckets only';

export const UNSERVED_OPERATIONS: readonly UnservedOperation[] = [
  row('DeleteBucketEncryption', 'DELETE ?encryption', 'objects are not encrypted at rest yet'),
  row('PutObjectLockConfiguration', 'PUT ?object-lock', LOCK),
  row('PutObjectLegalHold', 'PUT ?legal-hold', LOCK, 'object'),
  row('PutObjectRetention', 'PUT ?retention', LOCK, 'object'),
  row('PutBucketWebsite', 'PUT ?website', WEBSITE),
  row('DeleteBucketWebsite', 'DELETE ?website', WEBSITE),
  row('PutBucketReplication', 'PUT ?replication', REPLICATION),
  row('DeleteBucketReplication', 'DELETE ?replication', REPLICATION),
  row('PutBucketLogging', 'PUT ?logging', LOGGING),
  row('PutBucketNotificationConfiguration', 'PUT ?notification', EVENTS),
  row('PutBucketRequestPayment', 'PUT ?requestPayment', PAYER),
  row('PutPublicAccessBlock', 'PUT ?publicAccessBlock', ACCESS_BLOCK),
  row('DeletePublicAccessBlock', 'DELETE ?publicAccessBlock', ACCESS_BLOCK),
  row('PutBucketOwnershipControls', 'PUT ?ownershipControls', OWNERSHIP),
  row('DeleteBucketOwnershipControls', 'DELETE ?ownershipControls', OWNERSHIP),
  row('GetBucketAccelerateConfiguration', 'GET ?accelerate', ONE_PLACE),
  row('PutBucketAccelerateConfiguration', 'PUT ?accelerate', ONE_PLACE),
  ...['analytics', 'inventory', 'metrics'].flatMap((kind) => reportRows(kind, REPORTS)),
  ...reportRows('intelligent-tiering', CLASSES),
  row('CreateBucketMetadataTableConfiguration', 'POST ?metadataTable', TABLES),
  row('GetBucketMetadataTableConfiguration', 'GET ?metadataTable', TABLES),
  row('DeleteBucketMetadataTableConfiguration', 'DELETE ?metadataTable', TABLES),
  row('CreateSession', 'GET ?session', DIRECTORIES),
  row('RenameObject', 'PUT ?renameObject', DIRECTORIES, 'object'),
];

/** Get, put and delete of one kind of configuration. */
function reportRows(parameter: string, reason: string): readonly UnservedOperation[] {
  const kind = parameter
    .split('-')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
  return [
    row(`GetBucket${kind}Configuration`, `GET ?${parameter}`, reason),
    row(`PutBucket${kind}Configuration`, `PUT ?${parameter}`, reason),
    row(`DeleteBucket${kind}Configuration`, `DELETE ?${parameter}`, reason),
  ];
}
