/** GetBucketTagging, PutBucketTagging, DeleteBucketTagging; kept as a JSON object of texts. */
import type { S3Deps } from '../deps.ts';
import { answerEmpty, answerXml } from '../wire/answers.ts';
import type { Call } from '../wire/exchange.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { BUCKET_TAGS_MAX, readTagging, type Tags, tagSetElement } from '../wire/tags.ts';
import { readXmlBody, XML_BYTES_MAX } from '../wire/xml-body.ts';
import { changeDocuments } from './change-documents.ts';

export async function getBucketTagging(_deps: S3Deps, call: Call): Promise<void> {
  const { tagging } = call.bucket.documents;
  if (tagging === undefined) {
    throw new S3Refusal('NoSuchTagSet', undefined, { BucketName: call.bucket.name });
  }
  answerXml(call, 'Tagging', tagSetElement(JSON.parse(tagging) as Tags));
}

export async function putBucketTagging(deps: S3Deps, call: Call): Promise<void> {
  const tags = readTagging(await readXmlBody(call, XML_BYTES_MAX), BUCKET_TAGS_MAX);
  await changeDocuments(deps, call, { tagging: JSON.stringify(tags) });
  answerEmpty(call, 204);
}

export async function deleteBucketTagging(deps: S3Deps, call: Call): Promise<void> {
  await changeDocuments(deps, call, { tagging: null });
  answerEmpty(call, 204);
}
