/** Names that a new bucket may take (contracts/s3.md, Buckets). */
import { ServiceError } from '../../errors.ts';
import { type BucketName, parseBucketName } from '../../ids.ts';

/** AWS keeps these for itself; clients treat such names in ways of their own. */
const RESERVED_PREFIXES = ['xn--', 'sthree-', 'amzn-s3-demo-'];
const RESERVED_SUFFIXES = ['-s3alias', '--ol-s3', '.mrap', '--x-s3'];

/** Parses the name of a bucket to be made; throws `invalid_bucket_name`. */
export function parseNewBucketName(text: string): BucketName {
  const name = parseBucketName(text);
  const isReserved =
    RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)) ||
    RESERVED_SUFFIXES.some((suffix) => name.endsWith(suffix));
  if (isReserved) {
    throw new ServiceError('invalid_bucket_name', 'The bucket name is reserved.');
  }
  return name;
}
