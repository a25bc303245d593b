/** Proves what multipart uploads take, refuse and become, by the use cases over a memory store. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { DESCRIPTION, listed, md5Of, sourceOf } from '../../../../tests/world/multipart-world.ts';
import { openObjectWorld } from '../../../../tests/world/object-world.ts';
import { type ErrorCode, isServiceError } from '../../errors.ts';
import { type ObjectKey, parsePartNumber, parseUploadId } from '../../ids.ts';
import { PART_SIZE_BYTES_MAX, PART_SIZE_BYTES_MIN, SMALL_BODY_BYTES_MAX } from '../../limits.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import { inTransaction } from '../../ports/metadata/contract/in-transaction.ts';
import type { UploadReads } from '../../ports/metadata/uploads.ts';
import { listParts } from './list-parts.ts';
import { listUploads } from './list-uploads.ts';
import { sweepUploads } from './sweep-uploads.ts';
import type { ListedPart } from './upload.ts';
import { parseUploadChecksum } from './upload-checksum.ts';

const DAY_MS = 24 * 3_600_000;
const BIG = Buffer.alloc(PART_SIZE_BYTES_MIN, 'b');
const TAIL = Buffer.from('tail');

const refused = (code: ErrorCode) => (error: unknown) => isServiceError(error, code);

test('parts in any order become one object with what the start said', async () => {
  const { begin, upload, complete, read, find, stored, clock } = await openObjectWorld();
  const started = await begin('k', { description: { ...DESCRIPTION, userMetadata: { a: 'b' } } });
  const { part } = await upload(started, 7, TAIL);
  assert.equal(part.etag, md5Of(TAIL));
  await upload(started, 2, BIG);
  clock.advance(5000);
  const result = await complete(started, [listed(2, BIG), listed(7, TAIL)]);
  assert.match(result.etag, /^[0-9a-f]{32}-2$/);
  assert.deepEqual(await read('k'), Buffer.concat([BIG, TAIL]));
  const found = await find('k');
  assert.deepEqual(found?.userMetadata, { a: 'b' });
  assert.equal(found.etag, result.etag);
  assert.equal(found.contentHash, undefined);
  assert.equal(found.createdAt, clock.now());
  assert.equal(await stored(), BigInt(BIG.length + TAIL.length));
});

test('ids are sorted by the time of their start and taken back as they are', async () => {
  const { begin, clock } = await openObjectWorld();
  const first = await begin('k');
  const second = await begin('k');
  clock.advance(1);
  const third = await begin('k');
  assert.notEqual(first.uploadId, second.uploadId);
  assert(first.uploadId < third.uploadId && second.uploadId < third.uploadId);
  assert.equal(parseUploadId(first.uploadId), first.uploadId);
  for (const text of ['', 'x', `${first.uploadId}0`, first.uploadId.toUpperCase().slice(1), '..']) {
    assert.throws(() => parseUploadId(text), refused('upload_not_found'));
  }
});

test('part numbers are 1 to 10000', () => {
  assert.equal(parsePartNumber('1'), 1);
  assert.equal(parsePartNumber('10000'), 10_000);
  for (const text of ['0', '10001', '-1', '', '1.5', '1a', ' 1', '1e3', '99999999999']) {
    assert.throws(() => parsePartNumber(text), refused('invalid_field'), text);
  }
});

test('a list of parts is never that of an upload which was completed meanwhile', async () => {
  const { begin, upload, complete, metadata } = await openObjectWorld();
  const started = await begin('k');
  await upload(started, 1, TAIL);
  let reads = 0;
  const afterTheFirst = async <T>(answer: T): Promise<T> => {
    reads += 1;
    if (reads === 1) await complete(started, [listed(1, TAIL)]);
    return answer;
  };
  const overtaken: Pick<UploadReads, 'findUpload' | 'listParts'> = {
    findUpload: async (uploadId) => afterTheFirst(await metadata.findUpload(uploadId)),
    listParts: async (page) => afterTheFirst(await metadata.listParts(page)),
  };
  const query = { address: started, after: 0, limit: 10 };
  await assert.rejects(listParts({ metadata: overtaken }, query), refused('upload_not_found'));
  assert.equal(reads, 2);
});

describe('what parts are refused for', () => {
  test('their upload is not there', async () => {
    const { begin, upload, abort, complete, stored, deps } = await openObjectWorld();
    const started = await begin('k');
    const other = { ...started, key: 'other' as ObjectKey };
    await assert.rejects(upload(other, 1, TAIL), refused('upload_not_found'));
    await abort(started);
    await assert.rejects(upload(started, 1, TAIL), refused('upload_not_found'));
    await assert.rejects(abort(started), refused('upload_not_found'));
    const done = await begin('done');
    await upload(done, 1, TAIL);
    await complete(done, [listed(1, TAIL)]);
    await assert.rejects(upload(done, 2, TAIL), refused('upload_not_found'));
    assert.equal(await stored(), BigInt(TAIL.length));
    const query = { address: done, after: 0, limit: 10 };
    await assert.rejects(listParts(deps, query), refused('upload_not_found'));
  });

  test('an abort while their bytes come in', async () => {
    const { begin, upload, abort, metadata } = await openObjectWorld();
    const started = await begin('k');
    const body = {
      ...sourceOf(TAIL),
      pipeTo: async (sink: Parameters<ReturnType<typeof sourceOf>['pipeTo']>[0]) => {
        await sink(Buffer.from(TAIL));
        await abort(started);
      },
    };
    await assert.rejects(upload(started, 1, body), refused('upload_not_found'));
    assert.deepEqual(await metadata.listBlobs({ after: undefined, limit: 10 }), []);
  });

  test('their size', async () => {
    const { begin, upload } = await openObjectWorld({ freeStorageBytes: 10n ** 15n });
    const started = await begin('k');
    const body = { ...sourceOf(TAIL), declaredBytes: PART_SIZE_BYTES_MAX + 1 };
    await assert.rejects(upload(started, 1, body), refused('body_too_large'));
  });

  test('the quota, in which open parts count and a replaced one does not', async () => {
    const { begin, upload, abort, complete, put, stored } = await openObjectWorld({
      // A hundred bytes beside an upload, or an object, and two parts.
      freeStorageBytes: 100n + 3n * 1024n,
    });
    const bytes = (length: number) => Buffer.alloc(length, 'q');
    const started = await begin('k');
    await upload(started, 1, bytes(60));
    await assert.rejects(upload(started, 2, bytes(41)), refused('quota_exceeded'));
    await assert.rejects(put('other', bytes(41)), refused('quota_exceeded'));
    const unknown = { ...sourceOf(bytes(41)), declaredBytes: undefined };
    await assert.rejects(upload(started, 2, unknown), refused('quota_exceeded'));
    await upload(started, 1, bytes(100));
    await upload(started, 1, bytes(60));
    assert.equal(await stored(), 60n);
    await complete(started, [listed(1, bytes(60))]);
    assert.equal(await stored(), 60n);
    const second = await begin('k');
    await upload(second, 1, bytes(40));
    await complete(second, [listed(1, bytes(40))]);
    assert.equal(await stored(), 40n);
    const third = await begin('k');
    await upload(third, 1, bytes(60));
    await abort(third);
    assert.equal(await stored(), 40n);
  });

  test('what another part took of the quota while their bytes came in', async () => {
    const { begin, upload, stored } = await openObjectWorld({
      freeStorageBytes: 100n + 3n * 1024n,
    });
    const bytes = (length: number) => Buffer.alloc(length, 'q');
    const started = await begin('k');
    const body = {
      ...sourceOf(bytes(41)),
      pipeTo: async (sink: Parameters<ByteSource['pipeTo']>[0]) => {
        await sourceOf(bytes(41)).pipeTo(sink);
        await upload(started, 2, bytes(60));
      },
    };
    await assert.rejects(upload(started, 1, body), refused('quota_exceeded'));
    assert.equal(await stored(), 60n);
    await upload(started, 1, bytes(40));
  });

  test('their account, which was disabled while their bytes came in', async () => {
    const { begin, upload, disable, stored } = await openObjectWorld();
    const started = await begin('k');
    const body = {
      ...sourceOf(TAIL),
      pipeTo: async (sink: Parameters<ByteSource['pipeTo']>[0]) => {
        await sourceOf(TAIL).pipeTo(sink);
        await disable();
      },
    };
    await assert.rejects(upload(started, 1, body), refused('account_disabled'));
    await assert.rejects(begin('other'), refused('account_disabled'));
    assert.equal(await stored(), 0n);
  });

  test('the quota to the byte, whatever is announced of them', async () => {
    for (const length of [10, SMALL_BODY_BYTES_MAX + 10]) {
      const { begin, upload, put } = await openObjectWorld({
        freeStorageBytes: BigInt(3 * 1024 + length),
      });
      const bytes = (more: number) => Buffer.alloc(length + more, 'q');
      const unannounced = (more: number) => ({
        ...sourceOf(bytes(more)),
        declaredBytes: undefined,
      });
      const unread = (declaredBytes: number): ByteSource => ({
        declaredBytes,
        pipeTo: () => assert.fail('the part is read'),
      });
      const started = await begin('k');
      await upload(started, 3, bytes(-length));
      for (const [number, body] of [
        [1, unread(length + 1)],
        [1, unannounced(1)],
      ] as const) {
        await assert.rejects(upload(started, number, body), refused('quota_exceeded'));
      }
      await upload(started, 1, bytes(0));
      await upload(started, 1, unannounced(0));
      await upload(started, 1, bytes(0));
      await assert.rejects(upload(started, 1, unread(length + 1)), refused('quota_exceeded'));
      // What stands under the next number is not what this part replaces.
      await assert.rejects(upload(started, 2, unread(0)), refused('quota_exceeded'));
      await assert.rejects(put('other', bytes(-length)), refused('quota_exceeded'));
    }
  });

  test('the capacity of the whole server', async () => {
    const capacity = { storedBytes: () => 6n, capacityBytes: 10n };
    const { begin, upload } = await openObjectWorld({ capacity });
    const started = await begin('k');
    await upload(started, 1, TAIL);
    await assert.rejects(upload(started, 1, Buffer.from('tail!')), refused('storage_full'));
  });

  test('their length, which is not as was declared', async () => {
    const { begin, upload, stored } = await openObjectWorld();
    const started = await begin('k');
    const declared = (declaredBytes: number) => ({ ...sourceOf(TAIL), declaredBytes });
    await assert.rejects(upload(started, 1, declared(5)), refused('incomplete_body'));
    await assert.rejects(upload(started, 1, declared(3)), refused('body_too_large'));
    assert.equal(await stored(), 0n);
  });

  test('a body that is not the announced one', async () => {
    const { begin, upload, stored } = await openObjectWorld();
    const started = await begin('k');
    const demands = { md5: md5Of(BIG) };
    await assert.rejects(upload(started, 1, TAIL, { demands }), refused('digest_mismatch'));
    assert.equal(await stored(), 0n);
  });
});

describe('what a completion is refused for', () => {
  const cases: readonly (readonly [ErrorCode, readonly ListedPart[]])[] = [
    ['invalid_field', []],
    ['invalid_part_order', [listed(2, BIG), listed(1, BIG)]],
    ['invalid_part_order', [listed(1, BIG), listed(1, BIG)]],
    ['invalid_part', [listed(4, BIG)]],
    ['invalid_part', [listed(1, TAIL)]],
    ['part_too_small', [listed(1, BIG), listed(3, TAIL), listed(9, BIG)]],
  ];

  test('its list of parts', async () => {
    const { begin, upload, complete, find } = await openObjectWorld();
    const started = await begin('k');
    await upload(started, 1, BIG);
    await upload(started, 2, BIG);
    await upload(started, 3, TAIL);
    await upload(started, 9, BIG);
    for (const [code, parts] of cases) {
      await assert.rejects(complete(started, parts), refused(code), code);
    }
    assert.equal(await find('k'), undefined);
    const upper = { ...listed(3, TAIL), etag: md5Of(TAIL).toUpperCase() };
    await complete(started, [listed(1, BIG), upper]);
  });

  test('conditions, which leave the upload standing', async () => {
    const { begin, upload, complete, put, find, clock, metadata } = await openObjectWorld();
    const started = await begin('k');
    await upload(started, 1, TAIL);
    const parts = [listed(1, TAIL)];
    const missing = complete(started, parts, { conditions: { ifMatch: '*' } });
    await assert.rejects(missing, refused('object_not_found'));
    const old = await put('k', BIG);
    const exists = complete(started, parts, { conditions: { ifNoneMatch: '*' } });
    await assert.rejects(exists, refused('precondition_failed'));
    const other = complete(started, parts, { conditions: { ifMatch: ['nothing'] } });
    await assert.rejects(other, refused('precondition_failed'));
    assert.equal((await find('k'))?.etag, old.etag);
    await inTransaction(metadata, (tx) =>
      tx.updateAccount(started.accountId, { disabledAt: clock.now() }),
    );
    await assert.rejects(complete(started, parts), refused('account_disabled'));
    await inTransaction(metadata, (tx) =>
      tx.updateAccount(started.accountId, { disabledAt: null }),
    );
    await complete(started, parts, { conditions: { ifMatch: [old.etag] } });
    assert.equal((await find('k'))?.sizeBytes, TAIL.length);
  });

  test('another size than was said', async () => {
    const { begin, upload, complete } = await openObjectWorld();
    const started = await begin('k');
    await upload(started, 1, TAIL);
    const wrong = complete(started, [listed(1, TAIL)], { stated: { sizeBytes: 5 } });
    await assert.rejects(wrong, refused('size_mismatch'));
    await complete(started, [listed(1, TAIL)], { stated: { sizeBytes: 4 } });
  });
});

test('a completion may be repeated, with the same list only', async () => {
  const { begin, upload, complete, put, find } = await openObjectWorld();
  const started = await begin('k');
  await upload(started, 1, BIG);
  await upload(started, 2, TAIL);
  const parts = [listed(1, BIG), listed(2, TAIL)];
  const first = await complete(started, parts);
  assert.deepEqual(await complete(started, parts), first);
  const newer = await put('k', TAIL);
  const conditions = { ifNoneMatch: '*' } as const;
  assert.deepEqual(await complete(started, parts, { conditions }), first);
  assert.equal((await find('k'))?.etag, newer.etag);
  await assert.rejects(complete(started, [listed(1, BIG)]), refused('upload_not_found'));
});

test('parts and uploads are listed in pages', async () => {
  const { begin, upload, deps, owner } = await openObjectWorld();
  const started = await begin('a');
  await begin('b/1');
  for (const number of [3, 1, 2]) await upload(started, number, TAIL);
  const page = await listParts(deps, { address: started, after: 0, limit: 2 });
  assert.deepEqual(
    page.parts.map(({ partNumber }) => Number(partNumber)),
    [1, 2],
  );
  assert.equal(page.isTruncated, true);
  assert.equal(page.upload.uploadId, started.uploadId);
  const last = await listParts(deps, { address: started, after: 2, limit: 5000 });
  assert.deepEqual([last.parts.length, last.isTruncated], [1, false]);
  const whole = await listParts(deps, { address: started, after: 0, limit: 3 });
  assert.deepEqual([whole.parts.length, whole.isTruncated], [3, false]);
  const none = await listParts(deps, { address: started, after: 0, limit: 0 });
  assert.deepEqual([none.parts, none.isTruncated], [[], false]);
  const query = { bucketId: owner.bucketId, prefix: '', delimiter: '/', after: undefined };
  const uploads = await listUploads(deps, { ...query, limit: 5000 });
  assert.deepEqual(
    uploads.entries.map(({ kind }) => kind),
    ['upload', 'prefix'],
  );
  assert.deepEqual((await listUploads(deps, { ...query, limit: 0 })).entries, []);
});

test('a part is copied out of an object, whole or by range, onto itself as well', async () => {
  const { begin, upload, copy, complete, put, read } = await openObjectWorld();
  const source = Buffer.concat([BIG, TAIL]);
  const old = await put('k', source);
  const started = await begin('k', { checksum: parseUploadChecksum('CRC32', undefined) });
  const whole = await copy(started, 1, 'k');
  assert.equal(whole.part.etag, md5Of(source));
  assert.equal(whole.checksum?.algorithm, 'CRC32');
  const { part } = await copy(started, 2, 'k', { range: { first: BIG.length, last: 5242883 } });
  assert.equal(part.etag, md5Of(TAIL));
  for (const range of [
    { first: 0, last: source.length },
    { first: source.length, last: source.length + 1 },
    { first: 5, last: 4 },
  ]) {
    await assert.rejects(copy(started, 3, 'k', { range }), refused('range_not_satisfiable'));
  }
  for (const conditions of [{ ifMatch: ['x'] }, { ifNoneMatch: [old.etag] }]) {
    await assert.rejects(copy(started, 3, 'k', { conditions }), refused('precondition_failed'));
  }
  await assert.rejects(copy(started, 3, 'none'), refused('object_not_found'));
  await assert.rejects(upload(started, 3, TAIL), refused('checksum_missing'));
  const sums = [whole, { part }].map(({ part: { partNumber, etag, checksum } }) => ({
    partNumber,
    etag,
    checksum: { algorithm: 'CRC32', value: checksum?.value ?? '' } as const,
  }));
  await complete(started, sums);
  assert.deepEqual(await read('k'), Buffer.concat([source, TAIL]));
});

test('idle uploads are swept, results are forgotten after a day', async () => {
  const { begin, upload, complete, deps, clock, stored } = await openObjectWorld();
  const sweep = (uploadLifeMs: number | undefined) => sweepUploads({ ...deps, uploadLifeMs });
  const started = await begin('k');
  await upload(started, 1, TAIL);
  const done = await begin('done');
  await upload(done, 1, TAIL);
  await complete(done, [listed(1, TAIL)]);
  clock.advance(DAY_MS);
  assert.deepEqual(await sweep(2 * DAY_MS), { aborted: 0, forgotten: 0 });
  clock.advance(1);
  assert.deepEqual(await sweep(undefined), { aborted: 0, forgotten: 1 });
  await assert.rejects(complete(done, [listed(1, TAIL)]), refused('upload_not_found'));
  await begin('young');
  assert.deepEqual(await sweep(DAY_MS), { aborted: 1, forgotten: 0 });
  assert.equal(await stored(), BigInt(TAIL.length));
  await assert.rejects(upload(started, 2, TAIL), refused('upload_not_found'));
});

test('one sweep ends a thousand idle uploads at most, and none once it is stopped', async () => {
  const { begin, deps, clock, owner } = await openObjectWorld();
  for (let number = 0; number < 1002; number += 1) await begin(`${number}`);
  clock.advance(DAY_MS + 1);
  const sweep = (signal: AbortSignal) =>
    sweepUploads({ ...deps, uploadLifeMs: DAY_MS }, { signal });
  const { signal } = new AbortController();
  assert.deepEqual(await sweep(AbortSignal.abort()), { aborted: 0, forgotten: 0 });
  assert.deepEqual(await sweep(signal), { aborted: 1000, forgotten: 0 });
  assert.deepEqual(await sweep(signal), { aborted: 2, forgotten: 0 });
  const query = { bucketId: owner.bucketId, prefix: '', delimiter: '', after: undefined };
  assert.deepEqual((await listUploads(deps, { ...query, limit: 1 })).entries, []);
});
