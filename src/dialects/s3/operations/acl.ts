/** ACLs as they are: the owner has everything, and anyone reads where a bucket is public. */
import type { XmlElement } from '../../../kit/xml/xml-element.ts';
import { type Xml, xmlElement, xmlElementWith, xmlText } from '../../../kit/xml/xml-format.ts';
import { ownerElement, ownerIdOf } from '../access/owner.ts';
import type { S3Deps } from '../deps.ts';
import { answerEmpty, answerXml } from '../wire/answers.ts';
import type { Call } from '../wire/exchange.ts';
import { requireTrueAcl } from '../wire/object-description.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { findXmlBody, XML_BYTES_MAX } from '../wire/xml-body.ts';
import { missingKey } from './get-object.ts';
import { requireNullVersion } from './version-id.ts';

const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const ALL_USERS = 'http://acs.amazonaws.com/groups/global/AllUsers';

/** GetBucketAcl and GetObjectAcl. */
export async function getAcl(deps: S3Deps, call: Call): Promise<void> {
  const { bucket } = call;
  await requireObject(deps, call);
  const account = await deps.metadata.findAccount(bucket.accountId);
  if (account === undefined) throw new S3Refusal('AccessDenied');
  const { accountId, slug } = account;
  const owner = grant(
    'CanonicalUser',
    'FULL_CONTROL',
    xmlText('ID', ownerIdOf(accountId)),
    xmlText('DisplayName', slug),
  );
  // Of a bucket READ would mean its listing, which is open to nobody else.
  const isOpen = bucket.publicRead && call.head.address.kind === 'object';
  const everyone = isOpen ? [grant('Group', 'READ', xmlText('URI', ALL_USERS))] : [];
  answerXml(
    call,
    'AccessControlPolicy',
    ownerElement('Owner', account),
    xmlElement('AccessControlList', owner, ...everyone),
  );
}

/** PutBucketAcl and PutObjectAcl: whatever says that it is private. */
export async function putAcl(deps: S3Deps, call: Call): Promise<void> {
  await requireObject(deps, call);
  const isPublic = call.head.address.kind === 'object' && call.bucket.publicRead;
  requireTrueAcl(call.head.headers, { isPublic });
  const root = await findXmlBody(call, XML_BYTES_MAX);
  if (root === undefined && call.head.headers['x-amz-acl'] === undefined) {
    throw new S3Refusal('MissingSecurityHeader', undefined, { MissingHeaderName: 'x-amz-acl' });
  }
  if (root !== undefined)
    requireTrueGrants(root, { ownerId: ownerIdOf(call.bucket.accountId), isPublic });
  answerEmpty(call, 200);
}

/** The ACL of a key that is not there is nobody's. */
async function requireObject(deps: S3Deps, call: Call): Promise<void> {
  const { address } = call.head;
  if (address.kind !== 'object') return;
  requireNullVersion(call.head.query);
  const object = await deps.metadata.findObject(call.bucket.bucketId, address.key);
  if (object === undefined) throw missingKey(call, address.key);
}

/** What `getAcl` would say, in any order and in any number of grants; nothing more or less. */
function requireTrueGrants(
  root: XmlElement,
  { ownerId, isPublic }: { readonly ownerId: string; readonly isPublic: boolean },
): void {
  const list = root.name === 'AccessControlPolicy' ? root.child('AccessControlList') : undefined;
  if (list === undefined) throw new S3Refusal('MalformedXML');
  const statedOwner = root.child('Owner')?.childText('ID') ?? ownerId;
  const grants = list.children('Grant').map((one) => {
    const grantee = one.child('Grantee');
    const permission = one.childText('Permission');
    if (permission === undefined || !PERMISSIONS.has(permission)) {
      throw new S3Refusal('MalformedXML');
    }
    return { id: grantee?.childText('ID'), uri: grantee?.childText('URI'), permission };
  });
  const isFull = grants.some((one) => one.id === ownerId && one.permission === 'FULL_CONTROL');
  const isTrue = grants.every(
    ({ id, uri, permission }) =>
      id === ownerId || (isPublic && uri === ALL_USERS && permission === 'READ'),
  );
  if (!isFull || !isTrue || statedOwner !== ownerId) {
    throw new S3Refusal('AccessControlListNotSupported');
  }
}

const PERMISSIONS: ReadonlySet<string> = new Set([
  ...['FULL_CONTROL', 'READ', 'READ_ACP', 'WRITE', 'WRITE_ACP'],
]);

function grant(type: string, permission: string, ...grantee: readonly Xml[]): Xml {
  const attributes = { 'xmlns:xsi': XSI, 'xsi:type': type };
  return xmlElement(
    'Grant',
    xmlElementWith('Grantee', attributes, ...grantee),
    xmlText('Permission', permission),
  );
}
