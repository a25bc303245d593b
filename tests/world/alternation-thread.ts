/** A thread that writes into a SQLite file beside the engine that a test reads. */
import { workerData } from 'node:worker_threads';
import { type Alternation, alternate } from '../../src/core/ports/metadata/contract/alternation.ts';
import { SqliteMetadata } from '../../src/engines/metadata/sqlite-metadata.ts';

export type AlternationTask = { readonly file: string; readonly alternation: Alternation };

const { file, alternation } = workerData as AlternationTask;
await using metadata = await SqliteMetadata.open({ file });
await alternate(metadata, alternation);
