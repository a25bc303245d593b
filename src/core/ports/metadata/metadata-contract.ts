/**
 * What every metadata engine must do, run against each. The subjects are in
 * `contract/`.
 */
import { accessKeyContract } from './contract/access-key-contract.ts';
import { blobContract } from './contract/blob-contract.ts';
import { bucketContract } from './contract/bucket-contract.ts';
import { contentHashContract } from './contract/content-hash-contract.ts';
import { countedContract } from './contract/counted-contract.ts';
import { fileContract } from './contract/file-contract.ts';
import { identityContract } from './contract/identity-contract.ts';
import { listingContract } from './contract/listing-contract.ts';
import type { MetadataEngine } from './contract/metadata-engine.ts';
import { objectContract } from './contract/object-contract.ts';
import { rivalContract } from './contract/rival-contract.ts';
import { snapshotContract } from './contract/snapshot-contract.ts';
import { uploadContract } from './contract/upload-contract.ts';
import { uploadListingContract } from './contract/upload-listing-contract.ts';

/** Registers the suite with `node:test`. */
export function metadataContract(engine: MetadataEngine): void {
  identityContract(engine);
  accessKeyContract(engine);
  bucketContract(engine);
  fileContract(engine);
  objectContract(engine);
  blobContract(engine);
  listingContract(engine);
  snapshotContract(engine);
  uploadContract(engine);
  uploadListingContract(engine);
  contentHashContract(engine);
  rivalContract(engine);
  countedContract(engine);
}
