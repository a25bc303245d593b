/** Headers that come with several operations, and what becomes of them. */
import { refusedAs } from './parameter-rules.ts';

/** Headers that any request may bear, whatever it asks for. */
export const ANYWHERE = {
  honoured: [
    ...['x-amz-content-sha256', 'x-amz-date', 'x-amz-decoded-content-length'],
    ...['x-amz-expected-bucket-owner', 'x-amz-security-token', 'x-amz-trailer'],
  ],
  harmless: [
    ...['x-amz-mfa', 'x-amz-request-payer', 'x-amz-te', 'x-amz-user-agent'],
    // CloudFront names each request to its origin.
    'x-amz-cf-id',
  ],
  /** Families; whoever reads none of a family has no use for it. */
  prefixes: ['x-amz-checksum-', 'x-amz-meta-', 'x-amz-sdk-'],
} as const;

/** Holds a document to what was sent. */
export const DIGESTS = ['content-md5', 'x-amz-sdk-checksum-algorithm'] as const;

export const CHECKSUM_VALUES = [
  ...['x-amz-checksum-crc32', 'x-amz-checksum-crc32c', 'x-amz-checksum-crc64nvme'],
  ...['x-amz-checksum-md5', 'x-amz-checksum-sha1', 'x-amz-checksum-sha256'],
  ...['x-amz-checksum-sha512', 'x-amz-checksum-xxhash128', 'x-amz-checksum-xxhash3'],
  'x-amz-checksum-xxhash64',
] as const;

/** What is kept with an object and given back. */
export const DESCRIPTION = [
  ...['cache-control', 'content-disposition', 'content-encoding', 'content-language'],
  ...['content-type', 'expires', 'x-amz-meta-', 'x-amz-storage-class', 'x-amz-tagging'],
  'x-amz-website-redirect-location',
] as const;

/** Judged by their values: what says that an object is its owner's, or encrypted as all are. */
export const JUDGED = [
  ...['x-amz-acl', 'x-amz-server-side-encryption', 'x-amz-server-side-encryption-context'],
  ...['x-amz-server-side-encryption-aws-kms-key-id'],
  'x-amz-server-side-encryption-bucket-key-enabled',
] as const;

export const COPY_CONDITIONS = [
  ...['x-amz-copy-source-if-match', 'x-amz-copy-source-if-none-match'],
  ...['x-amz-copy-source-if-modified-since', 'x-amz-copy-source-if-unmodified-since'],
] as const;

export const READ_CONDITIONS = [
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'],
] as const;

/** A condition that is not looked at must not let a write through. */
const UNMET = 'it is no condition of this operation';
export const OTHER_THAN_IF_MATCH = refusedAs('NotImplemented', UNMET, [
  ...['if-none-match', 'if-modified-since', 'if-unmodified-since'],
]);
export const DATES_AS_CONDITIONS = refusedAs('NotImplemented', UNMET, [
  ...['if-modified-since', 'if-unmodified-since'],
]);

export const GRANTS = refusedAs('AccessControlListNotSupported', 'objects are their owners’', [
  ...['x-amz-grant-full-control', 'x-amz-grant-read', 'x-amz-grant-read-acp'],
  ...['x-amz-grant-write', 'x-amz-grant-write-acp'],
]);

export const LOCKS = refusedAs('InvalidRequest', 'Bucket is missing Object Lock Configuration', [
  ...['x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date'],
  ...['x-amz-object-lock-legal-hold', 'x-amz-object-lock-event-hold'],
  ...['x-amz-object-lock-event-hold-duration-days'],
  'x-amz-object-lock-event-hold-duration-years',
]);

const customerKey = (prefix: string) =>
  ['algorithm', 'key', 'key-md5'].map((name) => `${prefix}server-side-encryption-customer-${name}`);

/** A write with a customer's key would be kept in the clear. */
export const CUSTOMER_KEYS = refusedAs(
  'NotImplemented',
  'encryption by customer keys is not served',
  customerKey('x-amz-'),
);

/** A read with one, or a part: what stands there is not encrypted by it. */
export const KEYS_OF_NOTHING = refusedAs(
  'InvalidRequest',
  'The encryption parameters are not applicable to this object.',
  customerKey('x-amz-'),
);
export const SOURCE_KEYS_OF_NOTHING = refusedAs(
  'InvalidRequest',
  'The encryption parameters are not applicable to this object.',
  customerKey('x-amz-copy-source-'),
);

export const VERSION_OF_A_WRITE = refusedAs(
  'InvalidArgument',
  'This operation does not accept a version-id.',
  ['versionId'],
);
