/** Uploading a file: the common way of a PUT with an operation row that its owner can follow. */

import { UUID_V4_RANDOM_BYTES, uuidV4 } from '../../kit/uuid.ts';
import { defineTransaction } from '../define-transaction.ts';
import { isServiceError } from '../errors.ts';
import { authorize } from '../identity/access/authorize.ts';
import type { ObjectKey, OperationId } from '../ids.ts';
import { SMALL_BODY_BYTES_MAX } from '../limits.ts';
import type { WriteConditions } from '../objects/commit/condition.ts';
import type { ObjectVersion, Tier } from '../objects/object.ts';
import { type ObjectPut, type PutDeps, putObject } from '../objects/write/put-object.ts';
import type { ByteSource } from '../ports/byte-source.ts';
import type { Transactions } from '../ports/metadata/metadata.ts';
import type { Random } from '../ports/random.ts';
import { credentialLabel, type Principal } from '../principal.ts';
import { parseNewName } from './file-name.ts';
import type { UploadOperation } from './operation.ts';

export type UploadDeps = PutDeps & {
  readonly metadata: PutDeps['metadata'] & Transactions;
  readonly random: Random;
};

export type FileUpload = {
  readonly principal: Principal;
  readonly name: string;
  readonly contentType: string;
  /** What the bytes are encoded in for their readers; `undefined`: in nothing. */
  readonly contentEncoding: string | undefined;
  readonly tier: Tier;
  readonly body: ByteSource;
  readonly conditions: WriteConditions;
  readonly isExpectingContinue: boolean;
};

/** How often the row of a long upload is brought up to date. */
const PROGRESS_EVERY_MS = 5000;

/**
 * Stores a file and answers its finished operation: durable, visible, listed. When it throws,
 * nothing of the file is visible, and an upload that had begun has left a `failed` operation.
 */
export async function uploadFile(
  deps: UploadDeps,
  upload: FileUpload,
  options: { readonly onAdmitted?: () => void } = {},
): Promise<UploadOperation> {
  const { principal } = upload;
  authorize(principal, 'files.write');
  const key = parseNewName(upload.name);
  const operation = beginOperation(deps, upload, key);
  const trace = openTrace(deps, operation, isLong(upload.body));
  const put: ObjectPut = {
    accountId: principal.accountId,
    bucketId: principal.defaultBucketId,
    key,
    description: {
      contentType: upload.contentType,
      headers: encodingHeader(upload.contentEncoding),
      userMetadata: {},
      tags: {},
      storageClass: 'STANDARD',
      tier: upload.tier,
      origin: 'files',
    },
    body: trace.follow(upload.body),
    conditions: upload.conditions,
    usage: { source: 'files', credential: credentialLabel(principal) },
    isExpectingContinue: upload.isExpectingContinue,
    describeOperation: (version) => completeOperation(operation, version),
  };
  let isAdmitted = false;
  const onAdmitted = () => {
    isAdmitted = true;
    options.onAdmitted?.();
    return trace.begin();
  };
  try {
    const version = await putObject(deps, put, { onAdmitted, onProgress: trace.progress });
    return completeOperation(operation, version);
  } catch (error) {
    if (isAdmitted) await trace.fail(error);
    throw error;
  }
}

function encodingHeader(encoding: string | undefined): Readonly<Record<string, string>> {
  return encoding === undefined ? {} : { 'content-encoding': encoding };
}

/** Whether an upload takes long enough that its owner may want to look at it meanwhile. */
function isLong(body: ByteSource): boolean {
  return body.declaredBytes === undefined || body.declaredBytes > SMALL_BODY_BYTES_MAX;
}

function beginOperation(deps: UploadDeps, upload: FileUpload, key: ObjectKey): UploadOperation {
  const now = deps.clock.now();
  return {
    operationId: uuidV4(deps.random.bytes(UUID_V4_RANDOM_BYTES)) as OperationId,
    accountId: upload.principal.accountId,
    key,
    status: 'running',
    error: undefined,
    contentHash: undefined,
    bytesTotal: upload.body.declaredBytes,
    bytesUploaded: 0,
    createdAt: now,
    updatedAt: now,
  };
}

function completeOperation(operation: UploadOperation, version: ObjectVersion): UploadOperation {
  return {
    ...operation,
    status: 'completed',
    contentHash: version.contentHash,
    bytesTotal: version.sizeBytes,
    bytesUploaded: version.sizeBytes,
    updatedAt: version.createdAt,
  };
}

export const SAVE_OPERATION = defineTransaction('save_operation', (tx, row: UploadOperation) =>
  tx.saveOperation(row),
);

/**
 * Keeps the operation's row while bytes come in; a short upload only has its last state written.
 */
function openTrace(deps: UploadDeps, operation: UploadOperation, isLongUpload: boolean) {
  let savedAt = operation.createdAt;
  let bytesUploaded = 0;
  let saving: Promise<void> = Promise.resolve();
  const save = (row: UploadOperation) => deps.metadata.transact(SAVE_OPERATION, row);
  return {
    begin: () => (isLongUpload ? save(operation) : undefined),
    progress: (bytes: number) => {
      bytesUploaded = bytes;
      const now = deps.clock.now();
      if (!isLongUpload || now - savedAt < PROGRESS_EVERY_MS) return;
      savedAt = now;
      const row = { ...operation, bytesUploaded, updatedAt: now };
      // A lost progress row is no loss: the last state is written with the object. One is written
      // after the other, so that waiting for the last one is waiting for all.
      saving = saving.then(() => save(row)).catch(() => undefined);
    },
    /** The body, which ends only when no older state of the row can be written any more. */
    follow: (body: ByteSource): ByteSource => ({
      declaredBytes: body.declaredBytes,
      pipeTo: async (sink) => {
        await body.pipeTo(sink);
        await saving;
      },
    }),
    fail: async (error: unknown) => {
      await saving;
      const word = isServiceError(error) ? error.code : 'internal';
      const updatedAt = deps.clock.now();
      await save({ ...operation, status: 'failed', error: word, bytesUploaded, updatedAt }).catch(
        // The upload's own failure is what the caller must hear; a row left `running` is swept.
        () => undefined,
      );
    },
  };
}
