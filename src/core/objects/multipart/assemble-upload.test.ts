/** Proves which lists of parts become an object, by facts alone, and why others do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, isServiceError } from '../../errors.ts';
import { OBJECT_BYTES_MAX, PART_SIZE_BYTES_MAX, PART_SIZE_BYTES_MIN } from '../../limits.ts';
import { sampleAccount, timeAt } from '../../ports/metadata/contract/samples.ts';
import {
  sampleEtag,
  samplePartOf,
  sampleUpload,
} from '../../ports/metadata/contract/upload-samples.ts';
import type { PartChecksum } from '../object.ts';
import { assembleUpload } from './assemble-upload.ts';
import type { ListedPart, StatedWhole, UploadChecksum, UploadPart } from './upload.ts';

const account = {
  ...sampleAccount(1),
  defaultBucketId: 1 as never,
  storedBytes: 0n,
  countedBytes: 0n,
};
const begun = (checksum: UploadChecksum | undefined) =>
  sampleUpload(account, { key: 'k' }, { checksum });
const partOf = (number: number, sizeBytes: number, checksum?: PartChecksum): UploadPart => ({
  ...samplePartOf(begun(undefined), { number, blobId: number }).part,
  sizeBytes,
  checksum,
});
const listedOf = ({ partNumber, etag }: UploadPart, change: Partial<ListedPart> = {}) => ({
  partNumber,
  etag,
  ...change,
});

type Case = {
  readonly checksum?: UploadChecksum;
  readonly parts: readonly UploadPart[];
  readonly listed?: readonly ListedPart[];
  readonly stated?: StatedWhole;
};

function assemble({
  checksum,
  parts,
  listed = parts.map((part) => listedOf(part)),
  stated = {},
}: Case) {
  const partBytesMin = PART_SIZE_BYTES_MIN;
  const completion = { listed, partBytesMin, stated, listHash: 'hash', at: timeAt(9) };
  return assembleUpload(completion, { upload: begun(checksum), parts });
}

function refused(code: ErrorCode, one: Case, words: string = code) {
  assert.throws(
    () => assemble(one),
    (error) => isServiceError(error, code),
    words,
  );
}

test('parts may be as large together as an object, and no larger', () => {
  const count = OBJECT_BYTES_MAX / PART_SIZE_BYTES_MAX;
  const parts = Array.from({ length: count }, (_, at) => partOf(at + 1, PART_SIZE_BYTES_MAX));
  const { version } = assemble({ parts });
  assert.equal(version.sizeBytes, OBJECT_BYTES_MAX);
  refused('body_too_large', { parts: [...parts, partOf(count + 1, 1)] });
});

test('each part but the last has the least size', () => {
  const least = partOf(1, PART_SIZE_BYTES_MIN);
  const small = partOf(2, PART_SIZE_BYTES_MIN - 1);
  assert.equal(assemble({ parts: [least, small] }).version.createdAt, timeAt(9));
  assert.throws(() => assemble({ parts: [small, partOf(3, 1)] }), {
    code: 'part_too_small',
    details: {
      part_number: 2,
      size_bytes: PART_SIZE_BYTES_MIN - 1,
      size_bytes_min: PART_SIZE_BYTES_MIN,
      etag: small.etag,
    },
  });
});

test('only parts that stand may be listed, by their own ETags in any case', () => {
  const etag = 'a0b0'.repeat(8) as UploadPart['etag'];
  const part = { ...partOf(1, 10), etag };
  assemble({ parts: [part], listed: [listedOf(part, { etag: etag.toUpperCase() })] });
  refused('invalid_part', { parts: [part], listed: [listedOf(part, { etag: sampleEtag(2) })] });
  refused('invalid_part', { parts: [part], listed: [listedOf(partOf(2, 10))] });
});

const CRC = 'AAAAAA==';
const OTHER = 'AAAAAQ==';
const composite: UploadChecksum = { algorithm: 'CRC32', type: 'COMPOSITE' };
const full: UploadChecksum = { algorithm: 'CRC32', type: 'FULL_OBJECT' };

test('a part’s checksum is that of the part, by the upload’s algorithm', () => {
  const part = partOf(1, 10, { value: CRC });
  const said = (algorithm: 'CRC32' | 'CRC32C', value: string) => [
    listedOf(part, { checksum: { algorithm, value } }),
  ];
  for (const checksum of [composite, full]) {
    const parts = [part];
    assemble({ checksum, parts, listed: said('CRC32', CRC) });
    refused('invalid_part', { checksum, parts, listed: said('CRC32', OTHER) });
    refused('checksum_unfit', { checksum, parts, listed: said('CRC32C', CRC) });
  }
  // Each part of a composite checksum is said once more.
  refused('checksum_missing', { checksum: composite, parts: [part] });
  assemble({ checksum: full, parts: [part] });
});

test('an upload that named no checksum takes what was kept, and what its sender said', () => {
  const value = 'AAAAAAAAAAA=';
  const second = { algorithm: 'CRC32', value: CRC } as const;
  const part = partOf(1, 10, { value, second });
  const say = (algorithm: 'CRC32' | 'CRC32C' | 'CRC64NVME', text: string, from = part) => ({
    parts: [from],
    listed: [listedOf(from, { checksum: { algorithm, value: text } })],
  });
  assert.equal(assemble(say('CRC64NVME', value)).version.checksum?.algorithm, 'CRC64NVME');
  assemble(say('CRC32', CRC));
  refused('invalid_part', say('CRC32', OTHER));
  refused('invalid_part', say('CRC64NVME', 'AAAAAAAAAAE='));
  refused('invalid_part', say('CRC32C', CRC));
  // From before one was kept of every part.
  refused('invalid_part', say('CRC64NVME', value, partOf(1, 10)));
  assert.equal(assemble({ parts: [partOf(1, 10)] }).version.checksum, undefined);
});

test('what is said of the whole is held against what its parts make', () => {
  const part = partOf(1, 10, { value: CRC });
  const listed = [listedOf(part, { checksum: { algorithm: 'CRC32', value: CRC } })];
  const of = (checksum: UploadChecksum, stated: StatedWhole) => ({
    checksum,
    parts: [part],
    listed,
    stated,
  });
  const whole = assemble(of(full, {})).result.checksum;
  const ofParts = assemble(of(composite, {})).result.checksum;
  assert(whole !== undefined && ofParts !== undefined);
  assert.match(ofParts.value, /-1$/);
  assemble(of(full, { sizeBytes: 10, checksum: whole, checksumType: 'FULL_OBJECT' }));
  assemble(of(composite, { checksum: ofParts, checksumType: 'COMPOSITE' }));
  const bare = { algorithm: 'CRC32', value: ofParts.value.replace('-1', '') } as const;
  assemble(of(composite, { checksum: bare }));
  refused('size_mismatch', of(full, { sizeBytes: 11 }));
  refused('checksum_unfit', of(full, { checksumType: 'COMPOSITE' }));
  refused('checksum_unfit', of(composite, { checksumType: 'FULL_OBJECT' }));
  refused('checksum_unfit', of(full, { checksum: { algorithm: 'CRC32C', value: CRC } }));
  refused('digest_mismatch', of(full, { checksum: { algorithm: 'CRC32', value: OTHER } }));
  refused('digest_mismatch', of(composite, { checksum: { ...bare, value: `${bare.value}-2` } }));
  // Of parts from before a checksum was kept nothing can be promised.
  const old = { parts: [partOf(1, 10)] };
  refused('checksum_unfit', { ...old, stated: { checksum: whole } });
  refused('checksum_unfit', { ...old, stated: { checksumType: 'FULL_OBJECT' } });
});
