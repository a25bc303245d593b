/** Proves what is refused of a part by its size and checksum, and what its sender is told. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { multipartCalls, sourceOf } from '../../../../tests/world/multipart-world.ts';
import { openObjectWorld } from '../../../../tests/world/object-world.ts';
import { type ErrorCode, isServiceError } from '../../errors.ts';
import { PART_SIZE_BYTES_MAX, SMALL_BODY_BYTES_MAX } from '../../limits.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import type { ChecksumDemand } from '../write/body-demands.ts';
import { parseUploadChecksum } from './upload-checksum.ts';

const ROW = 1024;
const TAIL = Buffer.from('tail');
const bytesOf = (length: number) => Buffer.alloc(length, 'p');
const refused = (code: ErrorCode) => (error: unknown) => isServiceError(error, code);
/** A body that says more of its chunk than there is: it is refused before anybody looks into it. */
const sending = (byteLength: number, declaredBytes: number | undefined): ByteSource => ({
  declaredBytes,
  pipeTo: async (sink) => await sink({ byteLength } as Uint8Array),
});
const said = (algorithm: ChecksumDemand['algorithm'], value?: string) => ({
  demands: { checksum: { algorithm, declared: () => value } },
});

test('a part may have five gibibytes and no byte more, announced or not', async () => {
  const { begin, upload } = await openObjectWorld();
  const started = await begin('k');
  const unread = (declaredBytes: number) => ({
    declaredBytes,
    pipeTo: () => Promise.reject(new Error('it was asked for')),
  });
  await assert.rejects(upload(started, 1, unread(PART_SIZE_BYTES_MAX)), /it was asked for/);
  for (const body of [
    unread(PART_SIZE_BYTES_MAX + 1),
    sending(PART_SIZE_BYTES_MAX + 1, undefined),
    sending(PART_SIZE_BYTES_MAX + 1, SMALL_BODY_BYTES_MAX + 1),
  ]) {
    await assert.rejects(upload(started, 1, body), {
      code: 'body_too_large',
      details: { size_bytes_max: PART_SIZE_BYTES_MAX },
    });
  }
});

test('who has room for just the largest part is told of the quota beyond it', async () => {
  const { begin, upload } = await openObjectWorld({
    freeStorageBytes: BigInt(2 * ROW + PART_SIZE_BYTES_MAX),
  });
  const started = await begin('k');
  const body = sending(PART_SIZE_BYTES_MAX + 1, SMALL_BODY_BYTES_MAX + 1);
  await assert.rejects(upload(started, 1, body), refused('quota_exceeded'));
});

test('a small part that is longer than it announced is told so, also where it just fits', async () => {
  for (const length of [10, SMALL_BODY_BYTES_MAX]) {
    const { begin, upload } = await openObjectWorld({
      freeStorageBytes: BigInt(2 * ROW + length),
    });
    const started = await begin('k');
    const body = { ...sourceOf(bytesOf(length + 1)), declaredBytes: length };
    await assert.rejects(upload(started, 1, body), refused('body_too_large'));
    await upload(started, 1, bytesOf(length));
  }
});

test('a large part counts while it is under way, and no more when it has ended', async () => {
  const { begin, upload, deps, owner } = await openObjectWorld();
  const started = await begin('k');
  const length = SMALL_BODY_BYTES_MAX + 1;
  let counted = 0n;
  const body: ByteSource = {
    declaredBytes: length,
    pipeTo: async (sink) => {
      counted = deps.underWay.bytesOf(owner.accountId);
      await sourceOf(bytesOf(length)).pipeTo(sink);
    },
  };
  await upload(started, 1, body);
  assert.equal(counted, BigInt(length));
  assert.equal(deps.underWay.bytesOf(owner.accountId), 0n);
});

test('no part is taken for an account that is gone', async () => {
  const { begin, metadata, deps, owner } = await openObjectWorld();
  const started = await begin('k');
  const findAccount = async () => undefined;
  const orphaned = new Proxy(metadata, {
    get: (target, name) => {
      if (name === 'findAccount') return findAccount;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const { upload } = multipartCalls({ ...deps, metadata: orphaned }, owner);
  await assert.rejects(upload(started, 1, TAIL), refused('account_not_found'));
});

test('the checksum of a part is by the upload’s algorithm, and composite ones are said', async () => {
  const { begin, upload } = await openObjectWorld();
  const composite = await begin('k', { checksum: parseUploadChecksum('CRC32', 'COMPOSITE') });
  await assert.rejects(upload(composite, 1, TAIL), refused('checksum_missing'));
  await assert.rejects(upload(composite, 1, TAIL, said('CRC32C')), refused('checksum_unfit'));
  const wrong = upload(composite, 1, TAIL, said('CRC32', 'AAAAAA=='));
  await assert.rejects(wrong, refused('digest_mismatch'));
  const told = await upload(composite, 1, TAIL, said('CRC32'));
  assert.equal(told.checksum.algorithm, 'CRC32');
  // Bytes that are copied have nobody who could say it.
  await upload(composite, 2, TAIL, { from: 'copy' });
  const full = await begin('f', { checksum: parseUploadChecksum('CRC32', 'FULL_OBJECT') });
  await assert.rejects(upload(full, 1, TAIL, said('CRC32C')), refused('checksum_unfit'));
  const unsaid = await upload(full, 1, TAIL);
  assert.equal(unsaid.checksum.value, told.checksum.value);
  assert.equal(unsaid.part.checksum?.second, undefined);
});

test('an upload that named no checksum keeps CRC64NVME, and tells what was said', async () => {
  const { begin, upload } = await openObjectWorld();
  const started = await begin('k');
  const unsaid = await upload(started, 1, TAIL);
  assert.equal(unsaid.checksum.algorithm, 'CRC64NVME');
  assert.deepEqual(unsaid.part.checksum, { value: unsaid.checksum.value });
  const same = await upload(started, 1, TAIL, said('CRC64NVME', unsaid.checksum.value));
  assert.deepEqual(same.part.checksum, unsaid.part.checksum);
  const other = await upload(started, 1, TAIL, said('CRC32'));
  assert.equal(other.checksum.algorithm, 'CRC32');
  assert.equal(other.part.checksum?.value, unsaid.checksum.value);
  assert.equal(other.part.checksum.second?.algorithm, 'CRC32');
  const wrong = upload(started, 1, TAIL, said('CRC32', 'AAAAAA=='));
  await assert.rejects(wrong, refused('digest_mismatch'));
  // One that few readers check has a second beside it, of which its sender is not told.
  const rare = await begin('r', { checksum: parseUploadChecksum('XXHASH64', undefined) });
  const { part, checksum } = await upload(rare, 1, TAIL, said('XXHASH64'));
  assert.equal(checksum.algorithm, 'XXHASH64');
  assert.equal(part.checksum?.second?.algorithm, 'CRC64NVME');
});
