import { metadataContract } from '../../core/ports/metadata/metadata-contract.ts';
import { MemoryMetadata } from './memory-metadata.ts';

metadataContract({
  name: 'memory',
  async open() {
    const metadata = await MemoryMetadata.open();
    return { metadata, [Symbol.asyncDispose]: () => metadata[Symbol.asyncDispose]() };
  },
});
