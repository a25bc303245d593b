/** An upload operation: the trace of one upload that its owner may ask for (files-api.md). */
import type { AccountId, ContentHash, ObjectKey, OperationId, TimeMs } from '../ids.ts';

export type OperationStatus =
  | 'queued'
  | 'running'
  | 'durable'
  | 'finalizing'
  | 'completed'
  | 'failed';

export type UploadOperation = {
  readonly operationId: OperationId;
  readonly accountId: AccountId;
  readonly key: ObjectKey;
  readonly status: OperationStatus;
  /** Why a failed one failed, a stable word such as `incomplete_body` or `interrupted`. */
  readonly error: string | undefined;
  readonly contentHash: ContentHash | undefined;
  /** Declared length; `undefined` while it is unknown. */
  readonly bytesTotal: number | undefined;
  readonly bytesUploaded: number;
  readonly createdAt: TimeMs;
  readonly updatedAt: TimeMs;
};
