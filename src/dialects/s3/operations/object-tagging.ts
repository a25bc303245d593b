/** GetObjectTagging, PutObjectTagging, DeleteObjectTagging. */
import { isServiceError } from '../../../core/errors.ts';
import { changeTags } from '../../../core/objects/write/change-tags.ts';
import type { S3Deps } from '../deps.ts';
import { answerEmpty, answerXml } from '../wire/answers.ts';
import type { ObjectCall } from '../wire/exchange.ts';
import { OBJECT_TAGS_MAX, readTagging, type Tags, tagSetElement } from '../wire/tags.ts';
import { readXmlBody, XML_BYTES_MAX } from '../wire/xml-body.ts';
import { missingKey } from './get-object.ts';
import { requireNullVersion } from './version-id.ts';

export async function getObjectTagging(deps: S3Deps, call: ObjectCall): Promise<void> {
  requireNullVersion(call.head.query);
  const object = await deps.metadata.findObject(call.bucket.bucketId, call.key);
  if (object === undefined) throw missingKey(call, call.key);
  answerXml(call, 'Tagging', tagSetElement(object.tags));
}

export async function putObjectTagging(deps: S3Deps, call: ObjectCall): Promise<void> {
  requireNullVersion(call.head.query);
  const tags = readTagging(await readXmlBody(call, XML_BYTES_MAX), OBJECT_TAGS_MAX);
  await setTags(deps, call, tags);
  answerEmpty(call, 200);
}

export async function deleteObjectTagging(deps: S3Deps, call: ObjectCall): Promise<void> {
  requireNullVersion(call.head.query);
  await setTags(deps, call, {});
  answerEmpty(call, 204);
}

async function setTags(deps: S3Deps, call: ObjectCall, tags: Tags): Promise<void> {
  try {
    await changeTags(deps, { bucket: call.bucket, key: call.key, tags });
  } catch (error) {
    if (!isServiceError(error, 'object_not_found')) throw error;
    throw missingKey(call, call.key);
  }
}
