import { EMPTY_SHA256 } from '../../../kit/sigv4/sign.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import type { Payload } from './caller.ts';

const HASH = /^[0-9a-f]{64}$/;

/** Parses `x-amz-content-sha256`. Throws `InvalidArgument`, `NotImplemented`. */
export function parsePayload(text: string): Payload {
  if (text === 'UNSIGNED-PAYLOAD') return { kind: 'unsigned' };
  if (HASH.test(text)) return { kind: 'hashed', sha256: text };
  switch (text) {
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
      return { kind: 'chunked', isSigned: true, hasTrailer: false };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { kind: 'chunked', isSigned: true, hasTrailer: true };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'chunked', isSigned: false, hasTrailer: true };
    default:
      if (text.startsWith('STREAMING-AWS4-ECDSA-')) {
        throw new S3Refusal('NotImplemented', 'SigV4a is not supported.');
      }
      throw invalidArgument(
        'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, ' +
          'STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER ' +
          'or a valid sha256 value.',
        'x-amz-content-sha256',
        text,
      );
  }
}

/** What a request without a body may promise of it. Throws `XAmzContentSHA256Mismatch`. */
export function requireHashOfNothing(payload: Payload): void {
  if (payload.kind !== 'hashed' || payload.sha256 === EMPTY_SHA256) return;
  throw new S3Refusal('XAmzContentSHA256Mismatch');
}
