/** Proves that the memory engine keeps the contract, and lets nothing but data through. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { defineTransaction } from '../../core/define-transaction.ts';
import { metadataContract } from '../../core/ports/metadata/metadata-contract.ts';
import { MemoryMetadata } from './memory-metadata.ts';

metadataContract({
  name: 'memory',
  async open() {
    const metadata = await MemoryMetadata.open();
    return { metadata, [Symbol.asyncDispose]: () => metadata[Symbol.asyncDispose]() };
  },
});

test('what is no data goes neither into a transaction nor out of it', async () => {
  await using metadata = await MemoryMetadata.open();
  const taking = defineTransaction(
    'test',
    async (_tx, _input: { readonly later: () => void }) => 1,
  );
  const giving = defineTransaction('test', async () => ({ later: () => undefined }));
  const isUncloneable = (error: unknown) => error instanceof DOMException && error.code === 25;
  await assert.rejects(metadata.transact(taking, { later: () => undefined }), isUncloneable);
  await assert.rejects(metadata.transact(giving, undefined), isUncloneable);
  const input = { list: [1] };
  const echo = defineTransaction('test', async (_tx, given: typeof input) => given);
  const answer = await metadata.transact(echo, input);
  assert.deepEqual(answer, input);
  assert.notEqual(answer, input);
});
