/** What a sender says of its bytes beforehand, to be held against what arrived. */
import type { ChecksumAlgorithm } from '../../kit/checksums/checksum-algorithms.ts';
import type { Digests } from '../../kit/digests.ts';
import { ServiceError } from '../errors.ts';
import type { ObjectChecksum } from './object.ts';

export type BodyDemands = {
  /** Lower-case hex (Content-MD5). */
  readonly md5?: string | undefined;
  /** Lower-case hex (a signed payload). */
  readonly sha256?: string | undefined;
  /** A checksum to be kept with the bytes. */
  readonly checksum?:
    | {
        readonly algorithm: ChecksumAlgorithm;
        /**
         * Base64 that the sender stated; asked once the body has ended, since it may come behind
         * it. `undefined`: it is only to be computed.
         */
        readonly declared: () => string | undefined;
      }
    | undefined;
};

export const NO_DEMANDS: BodyDemands = {};

/**
 * Throws `digest_mismatch`, with `digest` naming which (`md5`, `sha256` or the checksum's
 * algorithm); answers the checksum to be kept.
 */
export function verifyDigests(demands: BodyDemands, digests: Digests): ObjectChecksum | undefined {
  const { md5, sha256, checksum } = demands;
  if (sha256 !== undefined && sha256 !== digests.sha256) throw mismatch('sha256');
  if (md5 !== undefined && md5 !== digests.md5) throw mismatch('md5');
  if (checksum === undefined || digests.checksum === undefined) return undefined;
  const { algorithm } = checksum;
  const declared = checksum.declared();
  if (declared !== undefined && declared !== digests.checksum) throw mismatch(algorithm);
  return { algorithm, type: 'FULL_OBJECT', value: digests.checksum };
}

function mismatch(digest: 'md5' | 'sha256' | ChecksumAlgorithm): ServiceError {
  return new ServiceError('digest_mismatch', 'The bytes are not those that were announced.', {
    details: { digest },
  });
}
