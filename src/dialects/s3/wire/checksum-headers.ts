/** What a request says of its bytes: MD5, payload hash, one checksum; and how answers say it. */

import type { ObjectChecksum, PlainChecksum } from '../../../core/objects/object.ts';
import type { BodyDemands } from '../../../core/objects/write/body-demands.ts';
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
} from '../../../kit/checksums/checksum-algorithms.ts';
import { parseChecksumValue } from '../../../kit/checksums/checksum-value.ts';
import type { Payload } from '../access/caller.ts';
import type { RequestHead } from './request-head.ts';
import { S3Refusal } from './s3-refusal.ts';

type Headers = RequestHead['headers'];
type Trailers = () => ReadonlyMap<string, string>;

/** Throws `InvalidDigest`, `InvalidRequest`. `trailers` is asked once the body has ended. */
export function bodyDemands(headers: Headers, payload: Payload, trailers: Trailers): BodyDemands {
  return {
    md5: contentMd5(headers),
    sha256: payload.kind === 'hashed' ? payload.sha256 : undefined,
    checksum: checksumDemand(headers, trailers),
  };
}

/** Lower-case hex of `Content-MD5`. */
export function contentMd5(headers: Headers): string | undefined {
  const text = headers['content-md5'];
  if (text === undefined) return undefined;
  if (!/^[A-Za-z0-9+/]{22}==$/.test(text.trim())) throw new S3Refusal('InvalidDigest');
  return Buffer.from(text.trim(), 'base64').toString('hex');
}

/** The one checksum whose value stands in a header or will stand behind the body. */
function checksumDemand(headers: Headers, trailers: Trailers): BodyDemands['checksum'] {
  const stated = statedChecksum(headers);
  const trailing = trailingAlgorithm(headers);
  if (stated !== undefined && trailing !== undefined) throw manyChecksums();
  const algorithm = stated?.algorithm ?? trailing;
  requireNamed(headers, algorithm);
  if (algorithm === undefined) return undefined;
  if (stated !== undefined) return { algorithm, declared: () => stated.value };
  return { algorithm, declared: () => trailingValue(algorithm, trailers()) };
}

/** The checksum of a document, which stands in a header or nowhere. Throws `InvalidRequest`. */
export function documentChecksum(headers: Headers): PlainChecksum | undefined {
  const stated = statedChecksum(headers);
  requireNamed(headers, stated?.algorithm);
  return stated;
}

/** A checksum in a header. Throws `InvalidRequest` for more than one, and for a malformed value. */
function statedChecksum(headers: Headers): PlainChecksum | undefined {
  return findStated(headers, (value) => value) ?? findNamedMd5(headers);
}

/** The JavaScript SDK sends `Content-MD5` where it is told to send the checksum MD5. */
function findNamedMd5(headers: Headers): PlainChecksum | undefined {
  const value = headers['content-md5']?.trim();
  if (value === undefined) return undefined;
  const isNamed = headers['x-amz-sdk-checksum-algorithm']?.toUpperCase() === 'MD5';
  return isNamed && contentMd5(headers) !== undefined ? { algorithm: 'MD5', value } : undefined;
}

/**
 * The checksum of a whole object that is made of parts: a composite one may say of how many. Throws
 * `InvalidRequest`.
 */
export function wholeChecksum(headers: Headers): PlainChecksum | undefined {
  return findStated(headers, (value) => value.replace(/-\d{1,5}$/, ''));
}

function findStated(
  headers: Headers,
  bareOf: (value: string) => string,
): PlainChecksum | undefined {
  let found: PlainChecksum | undefined;
  for (const name in headers) {
    if (!name.startsWith('x-amz-checksum-') || NO_VALUES.has(name)) continue;
    const algorithm = algorithmOf(name.slice('x-amz-checksum-'.length));
    const value = headers[name] ?? '';
    if (found !== undefined) throw manyChecksums();
    if (parseChecksumValue(algorithm, bareOf(value)) === undefined) {
      throw new S3Refusal('InvalidRequest', `Value for ${name} header is invalid.`);
    }
    found = { algorithm, value };
  }
  return found;
}

const NO_VALUES: ReadonlySet<string> = new Set([
  'x-amz-checksum-algorithm',
  'x-amz-checksum-mode',
  'x-amz-checksum-type',
]);

/** What an SDK says that it computed must be there. Throws `InvalidRequest`. */
function requireNamed(headers: Headers, algorithm: ChecksumAlgorithm | undefined): void {
  const text = headers['x-amz-sdk-checksum-algorithm'];
  if (text === undefined || algorithmOf(text) === algorithm) return;
  const problem =
    algorithm === undefined
      ? 'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.'
      : 'Value for x-amz-sdk-checksum-algorithm header is invalid.';
  throw new S3Refusal('InvalidRequest', problem);
}

/** Parses an algorithm's name in any case; throws `InvalidRequest`, naming the valid set. */
export function algorithmOf(text: string): ChecksumAlgorithm {
  const upper = text.toUpperCase();
  const found = CHECKSUM_ALGORITHMS.find((one) => one === upper);
  if (found !== undefined) return found;
  throw new S3Refusal(
    'InvalidRequest',
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${CHECKSUM_ALGORITHMS.join(', ')}]`,
  );
}

function trailingAlgorithm(headers: Headers): ChecksumAlgorithm | undefined {
  const text = headers['x-amz-trailer']?.trim().toLowerCase();
  if (text === undefined || text === '') return undefined;
  const name = /^x-amz-checksum-([a-z0-9]+)$/.exec(text)?.[1];
  if (name === undefined) {
    throw new S3Refusal(
      'InvalidRequest',
      'The value specified in the x-amz-trailer header is not supported',
    );
  }
  return algorithmOf(name);
}

function trailingValue(
  algorithm: ChecksumAlgorithm,
  trailers: ReadonlyMap<string, string>,
): string {
  const name = checksumHeader(algorithm);
  const value = trailers.get(name);
  if (value === undefined || trailers.size > 1) throw new S3Refusal('MalformedTrailerError');
  if (parseChecksumValue(algorithm, value) === undefined) {
    throw new S3Refusal('InvalidRequest', `Value for ${name} trailing header is invalid.`);
  }
  return value;
}

function manyChecksums(): S3Refusal {
  return new S3Refusal(
    'InvalidRequest',
    'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
  );
}

/** `x-amz-checksum-type`. Throws `InvalidRequest`. */
export function checksumTypeOf(headers: Headers): ObjectChecksum['type'] | undefined {
  const text = headers['x-amz-checksum-type'];
  if (text === undefined) return undefined;
  const upper = text.toUpperCase();
  if (upper === 'FULL_OBJECT' || upper === 'COMPOSITE') return upper;
  throw new S3Refusal('InvalidRequest', 'Value for x-amz-checksum-type header is invalid.');
}

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

/** How an answer says a checksum. */
export function checksumHeaders(
  checksum: ObjectChecksum | undefined,
): Readonly<Record<string, string>> {
  if (checksum === undefined) return {};
  const { second } = checksum;
  return {
    ...checksumValueHeader(checksum),
    ...(second === undefined ? {} : checksumValueHeader(second)),
    'x-amz-checksum-type': checksum.type,
  };
}

/** The value alone, as answers about parts say it. */
export function checksumValueHeader({
  algorithm,
  value,
}: PlainChecksum): Readonly<Record<string, string>> {
  return { [checksumHeader(algorithm)]: value };
}
