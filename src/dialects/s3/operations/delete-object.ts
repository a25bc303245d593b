import { isServiceError } from '../../../core/errors.ts';
import { deleteObject as removeObject } from '../../../core/objects/write/delete-object.ts';
import type { S3Deps } from '../deps.ts';
import { answerEmpty } from '../wire/answers.ts';
import { deleteConditions } from '../wire/conditions.ts';
import type { ObjectCall } from '../wire/exchange.ts';
import { missingKey } from './get-object.ts';
import { requireNullVersion } from './version-id.ts';

/** DeleteObject: 204 whether or not the key was there, unless a condition asks for it. */
export async function deleteObject(deps: S3Deps, call: ObjectCall): Promise<void> {
  const { head, bucket, key } = call;
  requireNullVersion(head.query);
  const conditions = deleteConditions({
    etag: head.headers['if-match'],
    sizeBytes: head.headers['x-amz-if-match-size'],
    lastModified: head.headers['x-amz-if-match-last-modified-time'],
  });
  try {
    await removeObject(deps, { bucket, key, conditions });
  } catch (error) {
    if (!isServiceError(error, 'object_not_found')) throw error;
    throw missingKey(call, key);
  }
  answerEmpty(call, 204);
}
