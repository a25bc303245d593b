/** Which function serves which operation; the compiler holds the lists complete. */
import type { S3Deps } from '../deps.ts';
import type { Call, ObjectCall, ServiceCall } from '../wire/exchange.ts';
import { getAcl, putAcl } from './acl.ts';
import { deleteBucketDocument, emptyConfiguration } from './bucket-probes.ts';
import { deleteBucketTagging, getBucketTagging, putBucketTagging } from './bucket-tagging.ts';
import {
  createBucket,
  deleteBucket,
  getBucketLocation,
  getBucketVersioning,
  headBucket,
} from './buckets.ts';
import { copyObject } from './copy-object.ts';
import { deleteBucketCors, getBucketCors, putBucketCors } from './cors-documents.ts';
import { deleteObject } from './delete-object.ts';
import { deleteObjects } from './delete-objects.ts';
import { getObject, headObject } from './get-object.ts';
import { getObjectAttributes } from './get-object-attributes.ts';
import { listBuckets } from './list-buckets.ts';
import { listObjectVersions } from './list-object-versions.ts';
import { listObjects, listObjectsV2 } from './list-objects.ts';
import { completeMultipartUpload } from './multipart/complete-upload.ts';
import { abortMultipartUpload, createMultipartUpload } from './multipart/create-upload.ts';
import { listParts } from './multipart/list-parts.ts';
import { listMultipartUploads } from './multipart/list-uploads.ts';
import { uploadPart } from './multipart/upload-part.ts';
import { uploadPartCopy } from './multipart/upload-part-copy.ts';
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './object-tagging.ts';
import type { OPERATIONS, OperationName, ServedName } from './operation-table.ts';
import { postObject } from './post-object.ts';
import { putObject } from './put-object.ts';

type NameOn<On extends 'service' | 'bucket' | 'object'> = {
  [Name in ServedName]: (typeof OPERATIONS)[Name]['on'] extends On ? Name : never;
}[ServedName];

type Handler<C> = (deps: S3Deps, call: C) => Promise<void>;

/** Operations for which no bucket stands yet. */
type ServiceName = NameOn<'service'> | 'CreateBucket';
type BucketName = Exclude<NameOn<'bucket'>, ServiceName>;
type Handlers<C> = Readonly<Partial<Record<OperationName, Handler<C>>>>;

export const SERVICE_HANDLERS: Handlers<ServiceCall> = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
} satisfies Record<ServiceName, Handler<ServiceCall>>;

export const BUCKET_HANDLERS: Handlers<Call> = {
  HeadBucket: headBucket,
  DeleteBucket: deleteBucket,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  ListMultipartUploads: listMultipartUploads,
  GetBucketLocation: getBucketLocation,
  GetBucketVersioning: getBucketVersioning,
  GetBucketAcl: getAcl,
  PutBucketAcl: putAcl,
  GetBucketCors: getBucketCors,
  PutBucketCors: putBucketCors,
  DeleteBucketCors: deleteBucketCors,
  GetBucketTagging: getBucketTagging,
  PutBucketTagging: putBucketTagging,
  DeleteBucketTagging: deleteBucketTagging,
  DeleteBucketPolicy: deleteBucketDocument,
  DeleteBucketLifecycle: deleteBucketDocument,
  GetBucketLogging: emptyConfiguration('BucketLoggingStatus'),
  GetBucketNotificationConfiguration: emptyConfiguration('NotificationConfiguration'),
  GetBucketRequestPayment: emptyConfiguration('RequestPaymentConfiguration', {
    Payer: 'BucketOwner',
  }),
  DeleteObjects: deleteObjects,
  PostObject: postObject,
} satisfies Record<BucketName, Handler<Call>>;

export const OBJECT_HANDLERS: Handlers<ObjectCall> = {
  PutObject: putObject,
  CopyObject: copyObject,
  GetObject: getObject,
  HeadObject: headObject,
  DeleteObject: deleteObject,
  GetObjectAttributes: getObjectAttributes,
  GetObjectTagging: getObjectTagging,
  PutObjectTagging: putObjectTagging,
  DeleteObjectTagging: deleteObjectTagging,
  GetObjectAcl: getAcl,
  PutObjectAcl: putAcl,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  ListParts: listParts,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
} satisfies Record<NameOn<'object'>, Handler<ObjectCall>>;
