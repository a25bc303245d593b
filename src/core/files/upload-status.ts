/** What has become of an upload, by its id or by the file's name. */
import { ServiceError } from '../errors.ts';
import { authorize } from '../identity/access/authorize.ts';
import { getAccount } from '../identity/account/get-account.ts';
import type { OperationId } from '../ids.ts';
import type { MetadataReads } from '../ports/metadata/metadata.ts';
import type { Principal } from '../principal.ts';
import { hasDeterministicUrl } from './deterministic-url.ts';
import { parseStoredName } from './file-name.ts';
import type { UploadOperation } from './operation.ts';

export type UploadQuery =
  | { readonly kind: 'byId'; readonly operationId: string }
  | { readonly kind: 'byName'; readonly name: string };

export type UploadStatus = {
  readonly operation: UploadOperation;
  /** Whether the version it made is still the file and has a deterministic URL. */
  readonly isLinkable: boolean;
};

/** Throws `operation_not_found`, also for another account's operation; `account_not_found`. */
export async function findUploadStatus(
  deps: {
    readonly metadata: Pick<
      MetadataReads,
      'findOperation' | 'findNewestOperation' | 'findObject' | 'findAccount'
    >;
  },
  principal: Principal,
  query: UploadQuery,
): Promise<UploadStatus> {
  authorize(principal, 'operations.read');
  const { metadata } = deps;
  const operation =
    query.kind === 'byId'
      ? await findById(metadata, query.operationId)
      : await metadata.findNewestOperation(principal.accountId, parseStoredName(query.name));
  if (operation === undefined || operation.accountId !== principal.accountId) {
    throw new ServiceError('operation_not_found', 'There is no such upload operation.');
  }
  const object = await metadata.findObject(principal.defaultBucketId, operation.key);
  const account = await getAccount(metadata, principal.accountId);
  const isLinkable =
    object !== undefined &&
    object.contentHash === operation.contentHash &&
    hasDeterministicUrl(account, object);
  return { operation, isLinkable };
}

/** Engines are only asked for what can be an id: not each of them takes any text. */
async function findById(
  metadata: Pick<MetadataReads, 'findOperation'>,
  text: string,
): Promise<UploadOperation | undefined> {
  if (!/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text)) return undefined;
  return await metadata.findOperation(text as OperationId);
}
