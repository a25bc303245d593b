import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { metadataContract } from '../../core/ports/metadata/metadata-contract.ts';
import { SqliteMetadata } from './sqlite-metadata.ts';

metadataContract({
  name: 'sqlite',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'pinfold-sqlite-'));
    const file = join(folder, 'metadata.db');
    const metadata = await SqliteMetadata.open({ file, idBlockSize: 100 });
    const opened = [metadata];
    return {
      metadata,
      async reopen() {
        // The first is left as it is: a killed process closes nothing either.
        const again = await SqliteMetadata.open({ file, idBlockSize: 100 });
        opened.push(again);
        return again;
      },
      async [Symbol.asyncDispose]() {
        for (const engine of opened) await engine[Symbol.asyncDispose]();
        await rm(folder, { recursive: true });
      },
    };
  },
});
