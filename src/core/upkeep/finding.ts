/** What `verify` finds wrong, gathered up to a bound. */
import type { AccountId, BlobId } from '../ids.ts';

export const FINDING_KINDS = [
  /** A row names bytes that are not there. */
  'blob_missing',
  /** Bytes that a row names fail a checksum or cannot be read. */
  'blob_damaged',
  /** A blob's count of owners is not what rows name it. */
  'owners_wrong',
  /** An account's stored bytes are not the sum of what it stores. */
  'stored_bytes_wrong',
  /** What its quota is judged by is not what its rows count. */
  'counted_bytes_wrong',
  /** A row names another that is not there or does not fit. */
  'reference_broken',
  /** Bytes that no row names. */
  'orphan',
  /** A segment holds a place where no whole record stands. */
  'segment_damaged',
] as const;

export type FindingKind = (typeof FINDING_KINDS)[number];

/** An object whose bytes a finding concerns. */
export type NamedObject = { readonly bucket: string; readonly key: string };

export type Finding = {
  readonly kind: FindingKind;
  /** What it is about, in words: `blob 12`, `segment 0000000a`. */
  readonly subject: string;
  readonly detail: string;
  readonly blobId?: BlobId;
  readonly accountId?: AccountId;
  /** Whose bytes a missing or damaged blob is; at most `OBJECTS_A_FINDING_MAX`. */
  readonly objects?: readonly NamedObject[];
};

/** More than a person reads; the rest is counted. */
const FINDINGS_MAX = 1000;
export const OBJECTS_A_FINDING_MAX = 10;

export class Findings {
  readonly #kept: Finding[] = [];
  #total = 0;

  add(finding: Finding): void {
    this.#total += 1;
    if (this.#kept.length < FINDINGS_MAX) this.#kept.push(finding);
  }

  /** Puts others in the place of those kept, one for one. */
  amend(change: (finding: Finding) => Finding): void {
    for (const [index, finding] of this.#kept.entries()) this.#kept[index] = change(finding);
  }

  get kept(): readonly Finding[] {
    return this.#kept;
  }

  get total(): number {
    return this.#total;
  }
}
