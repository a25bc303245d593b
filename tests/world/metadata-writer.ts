/**
 * A process to be killed: publishes objects into the SQLite file of its argument for ever, and says
 * the number of each blob once it is acknowledged.
 */
import { strict as assert } from 'node:assert';

import {
  insertAccount,
  sampleAccount,
  samplePublication,
} from '../../src/core/ports/metadata/contract/samples.ts';
import { SqliteMetadata } from '../../src/engines/metadata/sqlite-metadata.ts';

const file = process.argv[2];
assert(file, 'usage: metadata-writer.ts FILE');
const metadata = await SqliteMetadata.open({ file, idBlockSize: 7 });
const standing = await metadata.findAccount(sampleAccount(1).accountId);
const account = standing ?? (await insertAccount(metadata, sampleAccount(1)));
for (;;) {
  const blobId = await metadata.reserveBlobIds(1);
  await metadata.publishObject(samplePublication(account, { key: `k${blobId}`, blobId }));
  process.stdout.write(`${blobId}\n`);
}
