/**
 * Which checksums are kept with bytes, whatever their sender names: CRC64NVME when it names none,
 * as AWS does, and beside those that few readers can check.
 */
import {
  type ChecksumAlgorithm,
  isCrcAlgorithm,
} from '../../../kit/checksums/checksum-algorithms.ts';
import type { ObjectChecksum } from '../object.ts';
import type { BodyDemands, ChecksumDemand } from './body-demands.ts';

/** Made of any bytes whose sender names no other. */
export const DEFAULT_ALGORITHM = 'CRC64NVME';
export const DEFAULT_CHECKSUM: Omit<ObjectChecksum, 'value' | 'second'> = {
  algorithm: DEFAULT_ALGORITHM,
  type: 'FULL_OBJECT',
};

/** Those that every SDK checks by itself; the default JavaScript client fails at others. */
const READ_BY_ALL: ReadonlySet<ChecksumAlgorithm> = new Set(['SHA1', 'SHA256', 'MD5'] as const);

/** The algorithm that is kept beside `algorithm`, if one is. */
export function secondAlgorithm(algorithm: ChecksumAlgorithm): 'CRC64NVME' | undefined {
  const isReadByAll = isCrcAlgorithm(algorithm) || READ_BY_ALL.has(algorithm);
  return isReadByAll ? undefined : DEFAULT_ALGORITHM;
}

/** The checksum is only to be computed. */
export function computed(algorithm: ChecksumAlgorithm): ChecksumDemand {
  return { algorithm, declared: () => undefined };
}

/** The demands on a whole object, with the checksums that are kept of any. */
export function withKeptChecksums(demands: BodyDemands): BodyDemands {
  const checksum = demands.checksum ?? computed(DEFAULT_ALGORITHM);
  const second = secondAlgorithm(checksum.algorithm);
  return { ...demands, checksum, second: second && computed(second) };
}
