/** What only the Files API knows: upload operations and public links. */

import type { UploadOperation } from '../../files/operation.ts';
import type { PublicLink } from '../../files/public-link.ts';
import type { AccountId, LinkHash, ObjectKey, OperationId, TimeMs } from '../../ids.ts';

export interface FileReads {
  findOperation(operationId: OperationId): Promise<UploadOperation | undefined>;
  /** The newest operation of an account on a name. */
  findNewestOperation(accountId: AccountId, key: ObjectKey): Promise<UploadOperation | undefined>;
  findLink(hash: LinkHash): Promise<PublicLink | undefined>;
  /** Newest first, then by hash; those after the position. */
  listLinks(page: {
    readonly accountId: AccountId;
    readonly after: { readonly createdAt: TimeMs; readonly hash: LinkHash } | undefined;
    readonly limit: number;
  }): Promise<readonly PublicLink[]>;
}

export interface FileWrites {
  /** Links of an account, counted up to `limit`: it is asked before each new one. */
  countLinks(accountId: AccountId, limit: number): Promise<number>;
  /** Inserts an operation or replaces the one with its id. */
  saveOperation(operation: UploadOperation): Promise<void>;
  /** Marks operations that are still under way and unchanged since before as `failed`. */
  failOperations(stale: {
    readonly updatedBefore: TimeMs;
    readonly error: string;
    readonly at: TimeMs;
  }): Promise<number>;
  /** Removes finished operations last changed before `before`, at most `limit`. */
  deleteOperations(before: TimeMs, limit: number): Promise<number>;
  insertLink(link: PublicLink): Promise<void>;
  /** Removes a link of an account; answers whether it stood. */
  deleteLink(accountId: AccountId, hash: LinkHash): Promise<boolean>;
}
