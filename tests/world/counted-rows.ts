/** Rows of every kind that count against a quota, for tests of what counts them in SQL. */
import {
  insertAccount,
  sampleAccount,
  samplePublication,
} from '../../src/core/ports/metadata/contract/samples.ts';
import {
  sampleBeginning,
  sampleCompletion,
  samplePartOf,
  sampleUpload,
} from '../../src/core/ports/metadata/contract/upload-samples.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';

const LONG = { note: `"ä"\n${'\u{1F600}'.repeat(400)}` };

/** Writes them for three accounts, of which one has nothing; answers what each counts. */
export async function writeCountedRows(metadata: Metadata): Promise<readonly bigint[]> {
  const accounts = [];
  for (const number of [1, 2, 3]) {
    accounts.push(await insertAccount(metadata, sampleAccount(number)));
  }
  const [first, second] = accounts;
  if (first === undefined || second === undefined) throw new Error('accounts are inserted');
  let blobId = 1;
  for (const account of [first, second]) {
    for (const [key, version] of [
      ['plain', {}],
      ['ü'.repeat(512), {}],
      ['long', { userMetadata: LONG, tags: { a: 'b' }, headers: { expires: '0' } }],
      ['typed', { contentType: 'x'.repeat(1500) }],
    ] as const) {
      await metadata.publishObject(samplePublication(account, { key, blobId, version }));
      blobId += 1;
    }
  }
  const { description } = sampleUpload(first, { key: 'k' });
  for (const [number, userMetadata] of [{}, LONG, LONG].entries()) {
    const change = { description: { ...description, userMetadata } };
    const upload = sampleUpload(first, { key: 'upload', number: number + 1 }, change);
    await metadata.insertUpload(sampleBeginning(upload));
    for (const part of [1, 2]) {
      await metadata.savePart(samplePartOf(upload, { number: part, blobId, sizeBytes: 7 }));
      blobId += 1;
    }
    if (number === 2) await metadata.completeUpload(sampleCompletion(upload, [1]));
  }
  return countedOf(metadata);
}

/** What each account's row says, in the order of the accounts. */
export async function countedOf(metadata: Metadata): Promise<readonly bigint[]> {
  const accounts = await metadata.listAccounts({ after: undefined, limit: 10 });
  return accounts.map(({ countedBytes }) => countedBytes);
}
