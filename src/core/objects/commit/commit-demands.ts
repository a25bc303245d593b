/** What a commit demands of the facts that it finds, as data (decision 0016). */
import type { Account } from '../../identity/account/account.ts';
import type { QuotaPolicy } from '../../quota.ts';
import type { ObjectVersion } from '../object.ts';
import type { DeleteConditions, WriteConditions } from './condition.ts';

/** What a demand on the account may look at. */
export type AccountDemand =
  /** The account may have been disabled while bytes came in. */
  | { readonly kind: 'enabled' }
  /** What is added fits into the account's storage beside the rest, without what it replaces. */
  | { readonly kind: 'quota'; readonly policy: QuotaPolicy; readonly countedBytes: number };

export type CommitDemand =
  | AccountDemand
  | { readonly kind: 'conditions'; readonly conditions: WriteConditions }
  | { readonly kind: 'delete_conditions'; readonly conditions: DeleteConditions }
  /** What stands is still this very version: what was acknowledged meanwhile would be lost. */
  | { readonly kind: 'unchanged'; readonly version: ObjectVersion };

/** In the order in which they are judged: the first that does not hold is what the caller hears. */
export type CommitDemands = readonly CommitDemand[];
export type PartDemands = readonly AccountDemand[];

export type UploadDemand =
  | AccountDemand
  /** The account has fewer uploads open than that. */
  | { readonly kind: 'open_uploads'; readonly max: number };

export type UploadDemands = readonly UploadDemand[];

/** Read in the same transaction that then writes, after earlier members of its group. */
export type CommitFacts = {
  /** What stands under the key. */
  readonly current: ObjectVersion | undefined;
  readonly account: Account;
};

export type UploadFacts = {
  readonly account: Account;
  /** How many the account has open, counted up to `OPEN_UPLOADS_MAX`. */
  readonly openUploads: number;
};

export type PartFacts = {
  /** What stands under the part's number. */
  readonly replaced: { readonly sizeBytes: number } | undefined;
  readonly account: Account;
};
