/**
 * Proves that whichever request is the first to name a checksum of the xxHash family in a process
 * finds the library loaded: each is tried in a process of its own.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { completeUpload } from '../../../src/core/objects/multipart/complete-upload.ts';
import { NO_FAULTS } from '../../../src/core/ports/fault-points.ts';
import { insertAccount, sampleAccount } from '../../../src/core/ports/metadata/contract/samples.ts';
import {
  sampleBeginning,
  samplePartOf,
  sampleUpload,
} from '../../../src/core/ports/metadata/contract/upload-samples.ts';
import { MemoryMetadata } from '../../../src/engines/metadata/memory-metadata.ts';
import { objectCalls, textOf } from './object-calls.ts';
import { startS3 } from './start-s3.ts';

/** Of `hello world`, by awscrt, and over those bytes. */
const VALUE = '1Eex6kDmmIs=';

async function openCalls() {
  return objectCalls(await (await startS3()).openHolder('first'));
}

const FIRSTS = {
  put: async () => {
    const calls = await openCalls();
    await calls.put('k', 'hello world', { 'x-amz-checksum-xxhash3': VALUE });
  },
  'large put': async () => {
    const calls = await openCalls();
    const body = Buffer.alloc(3_000_000);
    const headers = { 'x-amz-checksum-xxhash3': VALUE };
    assert.match((await calls.ask('PUT', 'k', { body, headers })).text, /BadDigest/);
  },
  document: async () => {
    const calls = await openCalls();
    const answer = await calls.ask('PUT', undefined, {
      query: { tagging: '' },
      body: '<Tagging><TagSet></TagSet></Tagging>',
      headers: { 'x-amz-checksum-xxhash3': VALUE },
    });
    assert.match(answer.text, /BadDigest/);
  },
  copy: async () => {
    const calls = await openCalls();
    await calls.put('k', 'hello world');
    const headers = {
      'x-amz-copy-source': `${calls.bucket}/k`,
      'x-amz-checksum-algorithm': 'XXHASH3',
    };
    const { text } = await calls.done('PUT', 'copy', { headers });
    assert.equal(textOf(text, 'ChecksumXXHASH3'), VALUE);
  },
  // The parts came before a restart.
  complete: async () => {
    await using metadata = await MemoryMetadata.open();
    const account = await insertAccount(metadata, sampleAccount(1));
    const upload = {
      ...sampleUpload(account, { key: 'k', number: 1 }),
      checksum: { algorithm: 'XXHASH3', type: 'COMPOSITE' },
    } as const;
    await metadata.insertUpload(sampleBeginning(upload));
    const second = { algorithm: 'CRC64NVME', value: 'jSnVw/bqjr4=' } as const;
    const publication = samplePartOf(upload, {
      number: 1,
      blobId: 1,
      checksum: { value: VALUE, second },
    });
    await metadata.savePart(publication);
    const { partNumber, etag, createdAt } = publication.part;
    const checksum = { algorithm: 'XXHASH3', value: VALUE } as const;
    const deps = { metadata, clock: { now: () => createdAt }, faults: NO_FAULTS };
    const result = await completeUpload(deps, {
      address: publication.address,
      parts: [{ partNumber, etag, checksum }],
      conditions: {},
    });
    assert.match(result.checksum?.value ?? '', /^.{12}-1$/);
    assert.deepEqual(result.checksum?.second, second);
  },
} as const;

const first = process.argv[2];
for (const [name, run] of Object.entries(FIRSTS)) {
  if (first === name) test(`${name} comes first`, run);
  if (first !== undefined) continue;
  test(`a ${name} may be the first to name it`, () => {
    const { status, stdout } = spawnSync(process.execPath, [import.meta.filename, name], {
      encoding: 'utf8',
      // Nothing of this run: the child is a run of its own.
      env: {},
    });
    assert.equal(status, 0, stdout);
    assert.match(stdout, /pass 1/);
  });
}
