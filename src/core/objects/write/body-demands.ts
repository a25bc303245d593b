/** What a sender says of its bytes beforehand, to be held against what arrived. */
import { strict as assert } from 'node:assert';
import type { ChecksumAlgorithm } from '../../../kit/checksums/checksum-algorithms.ts';
import type { Digests } from '../../../kit/digests.ts';
import { ServiceError } from '../../errors.ts';
import type { ObjectChecksum, PlainChecksum } from '../object.ts';

export type BodyDemands = {
  /** Lower-case hex (Content-MD5). */
  readonly md5?: string | undefined;
  /** Lower-case hex (a signed payload). */
  readonly sha256?: string | undefined;
  /** A checksum to be kept with the bytes. */
  readonly checksum?: ChecksumDemand | undefined;
  /** One more, of another algorithm; only beside the first. */
  readonly second?: ChecksumDemand | undefined;
};

export type ChecksumDemand = {
  readonly algorithm: ChecksumAlgorithm;
  /**
   * Base64 that the sender stated; asked once the body has ended, since it may come behind it.
   * `undefined`: it is only to be computed.
   */
  readonly declared: () => string | undefined;
};

export const NO_DEMANDS: BodyDemands = {};

/**
 * Throws `digest_mismatch`, with `digest` naming which (`md5`, `sha256` or the checksum's
 * algorithm); answers the checksums to be kept.
 */
export function verifyDigests(demands: BodyDemands, digests: Digests): ObjectChecksum | undefined {
  const { md5, sha256 } = demands;
  if (sha256 !== undefined && sha256 !== digests.sha256) throw mismatch('sha256');
  if (md5 !== undefined && md5 !== digests.md5) throw mismatch('md5');
  const checksum = verified(demands.checksum, digests);
  const second = verified(demands.second, digests);
  if (checksum === undefined) return undefined;
  return { ...checksum, type: 'FULL_OBJECT', ...(second === undefined ? {} : { second }) };
}

function verified(
  demand: ChecksumDemand | undefined,
  { checksums }: Digests,
): PlainChecksum | undefined {
  if (demand === undefined) return undefined;
  const { algorithm } = demand;
  const value = checksums[algorithm];
  assert(value !== undefined, `${algorithm} was wished for`);
  const declared = demand.declared();
  if (declared !== undefined && declared !== value) throw mismatch(algorithm);
  return { algorithm, value };
}

/** The algorithms that the demands name. */
export function algorithmsOf({ checksum, second }: BodyDemands): readonly ChecksumAlgorithm[] {
  if (checksum === undefined) return [];
  return second === undefined ? [checksum.algorithm] : [checksum.algorithm, second.algorithm];
}

function mismatch(digest: 'md5' | 'sha256' | ChecksumAlgorithm): ServiceError {
  return new ServiceError('digest_mismatch', 'The bytes are not those that were announced.', {
    details: { digest },
  });
}
