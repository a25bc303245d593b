/** Names and numbers of the domain, branded so that one is never passed for another. */
import { clientBlock } from '../kit/ip.ts';
import { bytesOfUtf8, isWellFormedText } from '../kit/text.ts';
import { ServiceError } from './errors.ts';
import { BUCKET_NAME_BYTES_MAX, KEY_BYTES_MAX, PARTS_MAX } from './limits.ts';

declare const brand: unique symbol;
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** UUID v7 text of an account; the `user_id` of the wire. */
export type AccountId = Branded<string, 'AccountId'>;
/** Twelve characters of `[a-z2-7]`: the public name of an account and of its default bucket. */
export type AccountSlug = Branded<string, 'AccountSlug'>;
/** Number of a bucket's row; never shown. */
export type BucketId = Branded<number, 'BucketId'>;
export type BucketName = Branded<string, 'BucketName'>;
/** An object's key: well-formed text without NUL, 1 to 1024 bytes of UTF-8. */
export type ObjectKey = Branded<string, 'ObjectKey'>;
/** Sequential number of a blob, reserved durably, never reissued. */
export type BlobId = Branded<number, 'BlobId'>;
/** Where an engine keeps a blob; text that only the engine that made it reads. */
export type BlobLocation = Branded<string, 'BlobLocation'>;
/** UUID of an upload operation: v4, as published SDKs know ids by their version; older ones v7. */
export type OperationId = Branded<string, 'OperationId'>;
/**
 * 44 hex digits of a multipart upload: the time of its start, then 128 random bits, so that ids in
 * order are in the order of their uploads' starts.
 */
export type UploadId = Branded<string, 'UploadId'>;
/** 1 to 10,000: the place of a part in its upload; numbers may have gaps. */
export type PartNumber = Branded<number, 'PartNumber'>;
/**
 * 128 random bits in 32 hex digits, older ones 22 characters of base64url: the public name of a
 * link.
 */
export type LinkHash = Branded<string, 'LinkHash'>;
/** Canonical base58 of a 32-byte Ed25519 public key on the curve. */
export type WalletAddress = Branded<string, 'WalletAddress'>;
/** Session id: 128 random bits in base64url; also the refresh family's id. */
export type SessionId = Branded<string, 'SessionId'>;
/** UUID v7 of an API token's row. */
export type TokenId = Branded<string, 'TokenId'>;
/** Public half of an S3 key: 20 of `[A-Z2-7]`. */
export type AccessKeyId = Branded<string, 'AccessKeyId'>;
/** BLAKE3-256 of an object's bytes: 64 lower-case hex digits. */
export type ContentHash = Branded<string, 'ContentHash'>;
/** ETag without quotes: 32 hex digits, or those and `-N` for a multipart object. */
export type Etag = Branded<string, 'Etag'>;
/** Under what something is counted, made by `limitKey` alone. */
export type LimitKey = Branded<string, 'LimitKey'>;
/** Milliseconds since the epoch, UTC. */
export type TimeMs = Branded<number, 'TimeMs'>;

export function parseAccessKeyId(text: string): AccessKeyId | undefined {
  return /^[A-Z2-7]{20}$/.test(text) ? (text as AccessKeyId) : undefined;
}

/**
 * The one place that says under what something is counted: a name of ours or one held to a form,
 * an address, or a name at an address. Counters are kept in memory by it, so that an address counts
 * as its canonical form, for IPv6 its /64, and text that is none becomes no key.
 */
export function limitKey(of: { readonly name?: string; readonly address?: string }): LimitKey {
  const { name, address } = of;
  if (address === undefined) return (name ?? '') as LimitKey;
  const block = clientBlock(address) ?? 'no address';
  return (name === undefined ? block : `${name} ${block}`) as LimitKey;
}

/** Parses an object key of any dialect; throws `invalid_key`. */
export function parseObjectKey(text: string): ObjectKey {
  if (text.includes('\0')) throw new ServiceError('invalid_key', 'A key must not hold NUL.');
  if (!isWellFormedText(text)) {
    throw new ServiceError('invalid_key', 'A key must be well-formed UTF-8.');
  }
  const length = bytesOfUtf8(text);
  if (length < 1 || length > KEY_BYTES_MAX) {
    throw new ServiceError('invalid_key', `A key has 1 to ${KEY_BYTES_MAX} bytes of UTF-8.`);
  }
  return text as ObjectKey;
}

const BUCKET_NAME = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])$/;

/** Parses a bucket's name as it may come in an address; throws `invalid_bucket_name`. */
export function parseBucketName(text: string): BucketName {
  const isWellFormed =
    text.length >= 3 &&
    text.length <= BUCKET_NAME_BYTES_MAX &&
    BUCKET_NAME.test(text) &&
    !text.includes('..') &&
    !text.includes('.-') &&
    !text.includes('-.') &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(text);
  if (!isWellFormed) {
    throw new ServiceError(
      'invalid_bucket_name',
      `A bucket name has 3 to ${BUCKET_NAME_BYTES_MAX} of a-z, 0-9, "." and "-", a letter or digit at both ends and none of "..", ".-" and "-."; an IPv4 address is none.`,
    );
  }
  return text as BucketName;
}

/** The content hash that is this BLAKE3-256, lower-case hex. */
export function contentHashOf(blake3: string): ContentHash {
  return blake3 as ContentHash;
}

/** Digits of milliseconds until the year 10889. */
const UPLOAD_TIME_DIGITS = 12;

/** The id of an upload that starts at `at`, of 16 random bytes. */
export function uploadIdOf(at: TimeMs, random: Uint8Array): UploadId {
  const time = at.toString(16).padStart(UPLOAD_TIME_DIGITS, '0');
  return `${time}${Buffer.from(random).toString('hex')}` as UploadId;
}

/** The ETag of bytes with this MD5, lower-case hex; of parts, with their number. */
export function etagOf(md5: string, partCount?: number): Etag {
  return (partCount === undefined ? md5 : `${md5}-${partCount}`) as Etag;
}

/** Parses an upload's id as a client gives it back; throws `upload_not_found`. */
export function parseUploadId(text: string): UploadId {
  if (!/^[0-9a-f]{44}$/.test(text)) {
    throw new ServiceError('upload_not_found', 'There is no such multipart upload.');
  }
  return text as UploadId;
}

/** Parses the number of a part; throws `invalid_field`. */
export function parsePartNumber(text: string): PartNumber {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > PARTS_MAX) {
    throw new ServiceError('invalid_field', `A part number is 1 to ${PARTS_MAX}.`, {
      details: { field: 'partNumber' },
    });
  }
  return number as PartNumber;
}
