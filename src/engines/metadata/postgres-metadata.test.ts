import { after, test } from 'node:test';

import { startPostgres } from '../../../tests/world/postgres.ts';
import { metadataContract } from '../../core/ports/metadata/metadata-contract.ts';
import { PostgresMetadata } from './postgres-metadata.ts';

const server = await startPostgres();

if (server === undefined) {
  test('postgres metadata', { skip: 'PostgreSQL is not installed' });
} else {
  after(() => server[Symbol.asyncDispose]());
  metadataContract({
    name: 'postgres',
    async open() {
      const url = await server.freshDatabase();
      const metadata = await PostgresMetadata.open({ url, idBlockSize: 100 });
      const opened = [metadata];
      return {
        metadata,
        async reopen() {
          const again = await PostgresMetadata.open({ url, idBlockSize: 100 });
          opened.push(again);
          return again;
        },
        async [Symbol.asyncDispose]() {
          for (const engine of opened) await engine[Symbol.asyncDispose]();
        },
      };
    },
  });
}
