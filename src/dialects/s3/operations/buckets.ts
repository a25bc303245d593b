/** CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation and GetBucketVersioning. */
import { authorizeNewBucket } from '../../../core/identity/access/authorize-objects.ts';
import {
  createBucket as makeBucket,
  deleteBucket as removeBucket,
} from '../../../core/objects/buckets/buckets.ts';
import type { XmlElement } from '../../../kit/xml/xml-element.ts';
import type { S3Deps } from '../deps.ts';
import { answerDocument, answerEmpty, answerXml, resultText } from '../wire/answers.ts';
import type { Call, ServiceCall } from '../wire/exchange.ts';
import { requireTrueAcl } from '../wire/object-description.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { BUCKET_TAGS_MAX, readTags } from '../wire/tags.ts';
import { findXmlBody, XML_BYTES_MAX } from '../wire/xml-body.ts';

export async function createBucket(deps: S3Deps, call: ServiceCall): Promise<void> {
  const { caller, head } = call;
  const { address, headers } = head;
  if (caller.principal === undefined || address.kind === 'service') {
    throw new S3Refusal('AccessDenied');
  }
  requireTrueAcl(headers, { isPublic: false });
  requireNoLock(headers['x-amz-bucket-object-lock-enabled']);
  requireOwnersOwnership(headers[OWNERSHIP]);
  // Before anything is read from whom may make none.
  authorizeNewBucket(caller.principal);
  const body = await findXmlBody(call, XML_BYTES_MAX);
  if (body !== undefined) requireLocation(deps, call, body);
  const tags = readTags(body?.child('Tags'), BUCKET_TAGS_MAX);
  await makeBucket(deps, {
    principal: caller.principal,
    name: address.bucket,
    ...(body?.child('Tags') === undefined
      ? {}
      : { settings: { documents: { tagging: JSON.stringify(tags) } } }),
  });
  answerEmpty(call, 200, { location: `/${address.bucket}` });
}

function requireNoLock(text: string | undefined): void {
  if (text === undefined || text.toLowerCase() === 'false') return;
  throw new S3Refusal('NotImplemented', 'Object lock is not supported yet.');
}

const OWNERSHIP = 'x-amz-object-ownership';

/** The owner of a bucket owns its objects, whoever writes them. */
function requireOwnersOwnership(text: string | undefined): void {
  if (text === undefined || text === 'BucketOwnerEnforced') return;
  if (text === 'BucketOwnerPreferred' || text === 'ObjectWriter') {
    throw new S3Refusal(
      'NotImplemented',
      `The owner of a bucket owns its objects: ${text} is not served.`,
      {
        Header: OWNERSHIP,
      },
    );
  }
  throw invalidArgument('Invalid x-amz-object-ownership header', OWNERSHIP, text);
}

/** There is one place; its own name, what the client calls it and AWS's first all mean it. */
function requireLocation({ settings }: S3Deps, { caller }: ServiceCall, root: XmlElement): void {
  if (root.name !== 'CreateBucketConfiguration') throw new S3Refusal('MalformedXML');
  const location = root.childText('LocationConstraint')?.trim() ?? '';
  const signed = caller.kind === 'key' ? caller.region : '';
  const isKnown = ['', 'auto', 'us-east-1', 'US', signed, settings.region].includes(location);
  if (isKnown) return;
  throw new S3Refusal(
    'InvalidLocationConstraint',
    `There is one place for buckets: set the region of your client to ${settings.region}, or name none.`,
    { LocationConstraint: location },
  );
}

export async function headBucket({ settings }: S3Deps, call: Call): Promise<void> {
  answerEmpty(call, 200, { 'x-amz-bucket-region': settings.region });
}

export async function deleteBucket(deps: S3Deps, call: Call): Promise<void> {
  const { caller, bucket } = call;
  if (caller.principal === undefined) throw new S3Refusal('AccessDenied');
  await removeBucket(deps, { principal: caller.principal, name: bucket.name });
  answerEmpty(call, 204);
}

/** The text stands in the root itself; AWS says its first region by saying nothing. */
export async function getBucketLocation({ settings }: S3Deps, call: Call): Promise<void> {
  const region = settings.region === 'us-east-1' ? '' : settings.region;
  const root = resultText('LocationConstraint', region);
  answerDocument(call, { status: 200 }, root);
}

export async function getBucketVersioning(_deps: S3Deps, call: Call): Promise<void> {
  answerXml(call, 'VersioningConfiguration');
}
