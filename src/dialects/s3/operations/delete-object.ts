import { parseEtagCondition } from '../../../core/objects/condition.ts';
import { deleteObject as removeObject } from '../../../core/objects/delete-object.ts';
import type { S3Deps } from '../deps.ts';
import { answerEmpty } from '../wire/answers.ts';
import type { ObjectCall } from '../wire/exchange.ts';
import { requireNullVersion } from './version-id.ts';

/** DeleteObject: 204 whether or not the key was there. */
export async function deleteObject(deps: S3Deps, call: ObjectCall): Promise<void> {
  const { head, bucket, key } = call;
  requireNullVersion(head.query);
  const ifMatch = parseEtagCondition(head.headers['if-match']);
  await removeObject(deps, { bucket, key, conditions: { ifMatch } });
  answerEmpty(call, 204);
}
