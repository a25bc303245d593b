/**
 * Why a store can promise nothing more, so that its process must end; the last words of a server.
 */

export type StoreFault = 'blobs_sync' | 'metadata_disk';

const WORDS: Readonly<Record<StoreFault, string>> = {
  blobs_sync: 'the disk failed to sync blobs',
  metadata_disk: 'the disk failed under the metadata',
};

export class StoreFailure extends Error {
  readonly fault: StoreFault;

  /** `cause` is what the system or the database answered. */
  constructor(fault: StoreFault, cause: Error) {
    super(`${WORDS[fault]} (${cause.message})`, { cause });
    this.name = 'StoreFailure';
    this.fault = fault;
  }
}
