/** CreateBucket, HeadBucket, DeleteBucket, GetBucketLocation and GetBucketVersioning. */
import {
  createBucket as makeBucket,
  deleteBucket as removeBucket,
} from '../../../core/objects/buckets.ts';
import type { XmlElement } from '../../../kit/xml/xml-element.ts';
import type { S3Deps } from '../deps.ts';
import { answerDocument, answerEmpty, answerXml, resultText } from '../wire/answers.ts';
import type { Call, ServiceCall } from '../wire/exchange.ts';
import { requirePrivateAcl } from '../wire/object-description.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { findXmlBody, XML_BYTES_MAX } from '../wire/xml-body.ts';

export async function createBucket(deps: S3Deps, call: ServiceCall): Promise<void> {
  const { caller, head } = call;
  const { address, headers } = head;
  if (caller.principal === undefined || address.kind === 'service') {
    throw new S3Refusal('AccessDenied');
  }
  requirePrivateAcl(headers);
  requireNoLock(headers['x-amz-bucket-object-lock-enabled']);
  requireKnownOwnership(headers['x-amz-object-ownership']);
  const body = await findXmlBody(call, XML_BYTES_MAX);
  if (body !== undefined) requireLocation(deps, body);
  await makeBucket(deps, { principal: caller.principal, name: address.bucket });
  answerEmpty(call, 200, { location: `/${address.bucket}` });
}

function requireNoLock(text: string | undefined): void {
  if (text === undefined || text.toLowerCase() === 'false') return;
  throw new S3Refusal('NotImplemented', 'Object lock is not supported yet.');
}

const OWNERSHIPS: ReadonlySet<string> = new Set([
  'BucketOwnerEnforced',
  'BucketOwnerPreferred',
  'ObjectWriter',
]);

function requireKnownOwnership(text: string | undefined): void {
  if (text === undefined || OWNERSHIPS.has(text)) return;
  throw invalidArgument('Invalid x-amz-object-ownership header', 'x-amz-object-ownership', text);
}

/** There is one place; its own name, AWS's first region and `auto` all mean it. */
function requireLocation({ settings }: S3Deps, root: XmlElement): void {
  if (root.name !== 'CreateBucketConfiguration') throw new S3Refusal('MalformedXML');
  const location = root.childText('LocationConstraint')?.trim() ?? '';
  const isKnown = ['', 'auto', 'us-east-1', 'US', settings.region].includes(location);
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
