/** The operator's ceiling for everything stored here, above which writes are refused. */
import { ServiceError } from '../../errors.ts';

/** Known from time to time, so the ceiling is soft by what is written in between. */
export type Capacity = {
  readonly storedBytes: () => bigint;
  /** `undefined`: as much as the disk holds. */
  readonly capacityBytes: bigint | undefined;
};

/** Throws `storage_full` when `bytes` more would pass the ceiling. */
export function assertCapacity(capacity: Capacity, bytes: number): void {
  const { storedBytes, capacityBytes } = capacity;
  if (capacityBytes !== undefined && storedBytes() + BigInt(bytes) > capacityBytes) {
    throw new ServiceError('storage_full', 'This service has reached its configured capacity.');
  }
}
