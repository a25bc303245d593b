/** Proves that the SQLite engine keeps the contract. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { AlternationTask } from '../../../tests/world/alternation-thread.ts';
import type { MetadataStore } from '../../core/ports/metadata/contract/metadata-engine.ts';
import type { Metadata } from '../../core/ports/metadata/metadata.ts';
import { metadataContract } from '../../core/ports/metadata/metadata-contract.ts';
import { SqliteMetadata } from './sqlite-metadata.ts';

/** In a thread: on one event loop no write could come between two statements of a read. */
const RIVAL = new URL('../../../tests/world/alternation-thread.ts', import.meta.url);

/** The file of each open store, and what was opened over it beside. */
const opened = new WeakMap<MetadataStore, { readonly file: string; readonly beside: Metadata[] }>();

metadataContract({
  name: 'sqlite',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'pinfold-sqlite-'));
    const file = join(folder, 'metadata.db');
    const metadata = await SqliteMetadata.open({ file, idBlockSize: 100 });
    const beside: Metadata[] = [];
    const store: MetadataStore = {
      metadata,
      async [Symbol.asyncDispose]() {
        for (const engine of [metadata, ...beside]) await engine[Symbol.asyncDispose]();
        await rm(folder, { recursive: true });
      },
    };
    opened.set(store, { file, beside });
    return store;
  },
  async reopen(store) {
    const own = opened.get(store);
    assert(own, 'the store is one of ours');
    const again = await SqliteMetadata.open({ file: own.file, idBlockSize: 100 });
    own.beside.push(again);
    return again;
  },
  async alternateElsewhere(store, alternation) {
    const own = opened.get(store);
    assert(own, 'the store is one of ours');
    const task: AlternationTask = { file: own.file, alternation };
    const [code] = await once(new Worker(RIVAL, { workerData: task }), 'exit');
    assert.equal(code, 0);
  },
});
