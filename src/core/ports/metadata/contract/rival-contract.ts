/** Readers beside a writer on another connection: what a read answers is of one moment. */
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Account } from '../../../identity/account/account.ts';
import type { StoredObject } from '../../../objects/object.ts';
import type { Metadata } from '../metadata.ts';
import type { ListPage, ListQuery } from '../objects.ts';
import type { UploadPage } from '../uploads.ts';
import { ALTERNATING_KEY, GROUPS, PART_LISTS } from './alternation.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import { insertAccount, sampleAccount } from './samples.ts';

/** Each is two Completes of one key; in so many a read of two statements meets dozens. */
const ROUNDS = 100;

export function rivalContract(engine: MetadataEngine): void {
  const { alternateElsewhere } = engine;
  if (alternateElsewhere === undefined) return;
  describe(`${engine.name}: beside a writer on another connection`, () => {
    test('an object and its content are of one Complete, and uploads of one moment', async () => {
      await using store = await engine.open();
      const { metadata } = store;
      const account = await insertAccount(metadata, sampleAccount(1));
      let isOver = false;
      const writing = alternateElsewhere(store, { account, rounds: ROUNDS }).finally(() => {
        isOver = true;
      });
      const seen = {
        lists: new Set<string>(),
        groups: new Set<string>(),
        begun: new Set<unknown>(),
      };
      try {
        while (!isOver) {
          for (const object of await objectsOf(metadata, account)) {
            seen.lists.add(requireWhole(object));
          }
          for (const read of [metadata.listUploads, metadata.listObjects]) {
            const group = movingGroup(await read(queryOf(account)), seen.begun.has(read));
            if (group === undefined) continue;
            seen.begun.add(read);
            seen.groups.add(group);
          }
          // Where reads never wait, the writer's end would not be heard.
          await nextTurn();
        }
      } finally {
        await writing;
      }
      const [first, , last] = GROUPS;
      assert.deepEqual([...seen.lists].toSorted(), ['2 of 10', '3 of 20']);
      assert.deepEqual([...seen.groups].toSorted(), [first, last]);
    });
  });
}

/** The object as every read finds it that answers content. */
async function objectsOf(metadata: Metadata, account: Account): Promise<readonly StoredObject[]> {
  const { defaultBucketId: bucketId } = account;
  const found = [
    await metadata.findObject(bucketId, ALTERNATING_KEY),
    ...(await metadata.listUnhashed({ after: undefined, limit: 10 })),
  ];
  for (const { contentHash } of PART_LISTS) {
    found.push(await metadata.findObjectByHash(bucketId, contentHash, undefined));
  }
  return found.filter((object) => object !== undefined);
}

/** Which list the object was completed from; of a mixture there is none. */
function requireWhole({ etag, sizeBytes, contentHash, content }: StoredObject): string {
  const list = PART_LISTS.find(({ parts }) => etag.endsWith(`-${parts}`));
  assert(list !== undefined, etag);
  const sizes = content.map((part) => part.sizeBytes);
  assert.deepEqual(
    sizes,
    Array(list.parts).fill(list.sizeBytes),
    'the parts are those of the ETag',
  );
  assert.equal(sizeBytes, list.parts * list.sizeBytes);
  if (contentHash !== undefined) assert.equal(contentHash, list.contentHash);
  const uploads = new Set(content.map(({ blob }) => Math.floor(blob.blobId / 10)));
  assert.equal(uploads.size, 1, 'the parts are of one upload');
  return `${list.parts} of ${list.sizeBytes}`;
}

function queryOf(account: Account): ListQuery {
  const { defaultBucketId: bucketId } = account;
  return { bucketId, prefix: 'g/', delimiter: '/', after: undefined, limit: 10 };
}

/** The group in which what moves is found: always one of them, once it stands at all. */
function movingGroup({ entries }: ListPage | UploadPage, hasBegun: boolean): string | undefined {
  const [first, standing, last] = GROUPS;
  const groups = entries.flatMap((entry) => (entry.kind === 'prefix' ? [entry.prefix] : []));
  const moving = groups.filter((group) => group !== standing);
  const [group] = moving;
  // The writer begins with what stays.
  if (group === undefined && !hasBegun) return undefined;
  assert(group === first || group === last, groups.join());
  assert.equal(moving.length, 1, groups.join());
  return group;
}
