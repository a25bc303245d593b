/** GetBucketCors, PutBucketCors, DeleteBucketCors. */
import { corsDocumentOf, corsRulesOf } from '../../../core/objects/buckets/cors-rules.ts';
import type { S3Deps } from '../deps.ts';
import { answerEmpty, answerXml } from '../wire/answers.ts';
import { corsRuleElement, readCorsRules } from '../wire/cors-elements.ts';
import type { Call } from '../wire/exchange.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { readXmlBody } from '../wire/xml-body.ts';
import { changeDocuments } from './change-documents.ts';

/** AWS's limit; the rules are read at every request that names its origin. */
const CORS_BYTES_MAX = 64 * 1024;

export async function getBucketCors(_deps: S3Deps, call: Call): Promise<void> {
  const rules = corsRulesOf(call.bucket.documents.cors);
  if (rules.length === 0) {
    throw new S3Refusal('NoSuchCORSConfiguration', undefined, { BucketName: call.bucket.name });
  }
  answerXml(call, 'CORSConfiguration', ...rules.map(corsRuleElement));
}

export async function putBucketCors(deps: S3Deps, call: Call): Promise<void> {
  const rules = readCorsRules(await readXmlBody(call, CORS_BYTES_MAX));
  await changeDocuments(deps, call, { cors: corsDocumentOf(rules) });
  answerEmpty(call, 200);
}

export async function deleteBucketCors(deps: S3Deps, call: Call): Promise<void> {
  await changeDocuments(deps, call, { cors: null });
  answerEmpty(call, 204);
}
