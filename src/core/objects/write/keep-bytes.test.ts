/** Proves that a body waits for whoever takes its bytes, and for nobody else. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { md5Of } from '../../../../tests/world/multipart-world.ts';
import { openObjectWorld } from '../../../../tests/world/object-world.ts';
import { overloaded } from '../../overloaded.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import type { Digesters } from '../../ports/digesters.ts';
import { NO_FAULTS } from '../../ports/fault-points.ts';
import { NO_DEMANDS } from './body-demands.ts';
import { type Allowance, keepBytes } from './keep-bytes.ts';

const BYTES = Buffer.from('bytes');
const UNBOUNDED: Allowance = { bytes: 100n, refuse: () => overloaded() };

test('the next bytes come when the digester and the store have taken these', async () => {
  for (const [isDigesting, isWriting] of [
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ]) {
    const { deps } = await openObjectWorld();
    const digested = Promise.withResolvers<void>();
    const written = Promise.withResolvers<void>();
    const digesters: Pick<Digesters, 'open'> = {
      open: (...asked) => {
        const digester = deps.digesters.open(...asked);
        return {
          update: (chunk) => {
            const done = digester.update(chunk);
            return isDigesting ? digested.promise.then(() => done) : done;
          },
          finish: () => digester.finish(),
          release: () => digester.release(),
        };
      },
    };
    const stage: BlobStore['stage'] = async () => {
      const writer = await deps.blobs.stage();
      return {
        write: (chunk) => {
          const done = writer.write(chunk);
          return isWriting ? written.promise.then(() => done) : done;
        },
        commit: () => writer.commit(),
        release: (end) => writer.release(end),
      };
    };
    const waits: string[] = [];
    const body: ByteSource = {
      declaredBytes: BYTES.length,
      pipeTo: async (sink) => {
        const taken = sink(Buffer.from(BYTES));
        assert.equal(taken === undefined, !isDigesting && !isWriting);
        if (taken === undefined) return;
        let isTaken = false;
        const noting = taken.then(() => {
          isTaken = true;
        });
        for (const [name, { resolve }] of [
          ['digester', digested],
          ['store', written],
        ] as const) {
          await new Promise(setImmediate);
          if (!isTaken) waits.push(name);
          resolve();
        }
        await noting;
      },
    };
    const { digests } = await keepBytes(
      { blobs: { stage }, digesters, faults: NO_FAULTS },
      { body, allowance: UNBOUNDED, demands: NO_DEMANDS, publish: async (kept) => kept },
    );
    assert.equal(digests.md5, md5Of(BYTES));
    const expected =
      isDigesting || isWriting ? (isWriting ? ['digester', 'store'] : ['digester']) : [];
    assert.deepEqual(waits, expected, `${isDigesting} ${isWriting}`);
  }
});
