/** Commands of multipart uploads for the model of metadata: any, in any order. */

import fc from 'fast-check';
import type { Account } from '../../src/core/identity/account/account.ts';
import type { TimeMs } from '../../src/core/ids.ts';
import { inTransaction } from '../../src/core/ports/metadata/contract/in-transaction.ts';
import { fitsBelow, mustNotExist } from '../../src/core/ports/metadata/contract/samples.ts';
import {
  sampleBeginning,
  sampleCompletion,
  samplePartOf,
  sampleUpload,
} from '../../src/core/ports/metadata/contract/upload-samples.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';
import type { UploadPosition } from '../../src/core/ports/metadata/uploads.ts';

/** The uploads that a run may have, by their keys; two are of one key. */
const KEYS = ['a', 'a', 'a/b', 'a/ä', '\ufffd', '\u{1F600}'] as const;
const PARTS_MAX = 4;

const slot = fc.nat(KEYS.length - 1);
const number = fc.integer({ min: 1, max: PARTS_MAX });
const prefix = fc.constantFrom('', 'a', 'a/', 'ä', 'b');

const position = fc.option(
  fc.oneof(
    fc.record({ kind: fc.constant('afterKey' as const), key: prefix }),
    fc.record({ kind: fc.constant('afterPrefix' as const), prefix }),
    fc.record({ kind: fc.constant('afterUpload' as const), slot }),
  ),
  { nil: undefined },
);

export const uploadCommand = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('begin' as const),
      slot,
      isLong: fc.boolean(),
      max: fc.nat(4),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('part' as const),
      slot,
      number,
      size: fc.nat(9),
      isRefused: fc.boolean(),
      hasChecksum: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('complete' as const),
      slot,
      numbers: fc.uniqueArray(number, { minLength: 1 }),
      mustBeNew: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abort' as const), slot }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('abortAll' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('findUpload' as const), slot }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('listParts' as const), slot, after: number }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('listUploads' as const),
      prefix,
      delimiter: fc.constantFrom('', '/', 'ä'),
      after: position,
      limit: fc.integer({ min: 1, max: 5 }),
    }),
  },
);

export type UploadCommand = typeof uploadCommand extends fc.Arbitrary<infer T> ? T : never;

/** What makes the uploads of one run and step differ from all others. */
export type UploadStep = { readonly run: number; readonly blobId: number; readonly at: TimeMs };

export async function answerUpload(
  metadata: Metadata,
  account: Account,
  command: UploadCommand,
  { run, blobId, at }: UploadStep,
): Promise<unknown> {
  const { defaultBucketId: bucketId } = account;
  const uploadOf = (index: number) => {
    const numbered = { key: KEYS[index] ?? 'a', number: run * KEYS.length + index };
    return sampleUpload(account, numbered);
  };
  switch (command.kind) {
    case 'begin': {
      const { slot: index, isLong, max } = command;
      const { description, ...rest } = uploadOf(index);
      const userMetadata = isLong ? { a: 'ä'.repeat(600) } : {};
      const upload = { ...rest, description: { ...description, userMetadata } };
      if ((await metadata.findUpload(upload.uploadId)) !== undefined) return 'it stands';
      return metadata.insertUpload(sampleBeginning(upload, [{ kind: 'open_uploads', max }]));
    }
    case 'part': {
      const { number: partNumber, size, hasChecksum, isRefused } = command;
      const sample = {
        number: partNumber,
        blobId: size === 0 ? undefined : blobId,
        sizeBytes: size,
        ...(hasChecksum ? { checksum: { value: 'AAAAAAAAAAA=' } } : {}),
        at,
      };
      const demands = isRefused ? [fitsBelow(0, 10_000)] : [];
      return metadata.savePart(samplePartOf(uploadOf(command.slot), sample, { demands }));
    }
    case 'complete': {
      const numbers = command.numbers.toSorted((a, b) => a - b);
      const demands = command.mustBeNew ? mustNotExist : [];
      return metadata.completeUpload(
        sampleCompletion(uploadOf(command.slot), numbers, { at, demands }),
      );
    }
    case 'abort':
      return metadata.abortUpload({ address: uploadOf(command.slot), at });
    case 'abortAll':
      return inTransaction(metadata, (tx) => tx.abortUploadsOf({ bucketId, at, limit: 100 }));
    case 'findUpload':
      return metadata.findUpload(uploadOf(command.slot).uploadId);
    case 'listParts': {
      const { uploadId } = uploadOf(command.slot);
      return metadata.listParts({ uploadId, after: command.after, limit: 2 });
    }
    case 'listUploads': {
      const { after, ...query } = command;
      return metadata.listUploads({ bucketId, ...query, after: positionOf(after, uploadOf) });
    }
  }
}

function positionOf(
  after: (UploadCommand & { readonly kind: 'listUploads' })['after'],
  uploadOf: (index: number) => ReturnType<typeof sampleUpload>,
): UploadPosition | undefined {
  if (after?.kind !== 'afterUpload') return after;
  const { key, uploadId } = uploadOf(after.slot);
  return { kind: 'afterUpload', key, uploadId };
}
