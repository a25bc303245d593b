/** Conditional reads and writes (RFC 9110 section 13), decided over values. */
import { parseHttpDate } from '../../../kit/http-date.ts';
import { ServiceError } from '../../errors.ts';
import type { Etag, TimeMs } from '../../ids.ts';

/** ETags without quotes, or `*`. */
export type EtagCondition = '*' | readonly string[];

export type ReadConditions = {
  readonly ifMatch?: EtagCondition | undefined;
  readonly ifNoneMatch?: EtagCondition | undefined;
  readonly ifModifiedSince?: TimeMs | undefined;
  readonly ifUnmodifiedSince?: TimeMs | undefined;
};

export type WriteConditions = {
  readonly ifMatch?: EtagCondition | undefined;
  readonly ifNoneMatch?: EtagCondition | undefined;
};

/** What must stand where something is deleted. */
export type DeleteConditions = {
  readonly ifMatch?: EtagCondition | undefined;
  readonly sizeBytes?: number | undefined;
  /** To the second, as clients are told it. */
  readonly createdAt?: TimeMs | undefined;
};

type Facts = { readonly etag: Etag; readonly createdAt: TimeMs };

/** Parses an `If-Match` or `If-None-Match` field; quotes may be missing, weak marks are dropped. */
export function parseEtagCondition(text: string | undefined): EtagCondition | undefined {
  if (text === undefined) return undefined;
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (trimmed === '*') return '*';
  return trimmed
    .split(',')
    .map((item) =>
      item
        .trim()
        .replace(/^W\//, '')
        .replace(/^"(.*)"$/, '$1'),
    )
    .filter((item) => item !== '');
}

/**
 * Answers `fresh` when the reader's copy is still good. Throws `precondition_failed`. The order is
 * RFC 9110's (13.2.2): a match makes the unmodified date irrelevant, an ETag given makes the
 * modified date irrelevant.
 */
export function checkReadConditions(conditions: ReadConditions, facts: Facts): 'send' | 'fresh' {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!includesEtag(ifMatch, facts.etag)) throw failed('If-Match');
  } else if (
    ifUnmodifiedSince !== undefined &&
    toSeconds(facts.createdAt) > toSeconds(ifUnmodifiedSince)
  ) {
    throw failed('If-Unmodified-Since');
  }
  if (ifNoneMatch !== undefined) return includesEtag(ifNoneMatch, facts.etag) ? 'fresh' : 'send';
  if (ifModifiedSince === undefined) return 'send';
  return toSeconds(facts.createdAt) > toSeconds(ifModifiedSince) ? 'send' : 'fresh';
}

/**
 * Whether a range still means this version (`If-Range`, RFC 9110 section 13.1.5): the same strong
 * ETag, or exactly the same date. Without the field it does.
 */
export function isRangeCurrent(text: string | undefined, facts: Facts): boolean {
  if (text === undefined) return true;
  const validator = text.trim();
  if (validator.startsWith('"')) return validator === `"${facts.etag}"`;
  return parseHttpDate(validator) === toSeconds(facts.createdAt) * 1000;
}

/**
 * Throws `precondition_failed`, or `object_not_found` for an `If-Match` on nothing
 * (contracts/s3.md).
 */
export function checkWriteConditions(
  conditions: WriteConditions,
  current: Facts | undefined,
): void {
  const { ifMatch, ifNoneMatch } = conditions;
  if (ifMatch !== undefined) {
    if (current === undefined)
      throw new ServiceError('object_not_found', 'There is no such object.');
    if (!includesEtag(ifMatch, current.etag)) throw failed('If-Match');
  }
  if (
    ifNoneMatch !== undefined &&
    current !== undefined &&
    includesEtag(ifNoneMatch, current.etag)
  ) {
    throw failed('If-None-Match');
  }
}

/**
 * Throws `precondition_failed`, or `object_not_found` for a condition on nothing: measured on AWS,
 * where only a delete without conditions succeeds on what is not there.
 */
export function checkDeleteConditions(
  { ifMatch, sizeBytes, createdAt }: DeleteConditions,
  current: (Facts & { readonly sizeBytes: number }) | undefined,
): void {
  if (ifMatch === undefined && sizeBytes === undefined && createdAt === undefined) return;
  if (current === undefined) {
    throw new ServiceError('object_not_found', 'There is no such object.');
  }
  if (ifMatch !== undefined && !includesEtag(ifMatch, current.etag)) throw failed('If-Match');
  if (sizeBytes !== undefined && sizeBytes !== current.sizeBytes) throw failed('Size');
  if (createdAt !== undefined && toSeconds(createdAt) !== toSeconds(current.createdAt)) {
    throw failed('LastModifiedTime');
  }
}

export function hasConditions(conditions: WriteConditions): boolean {
  return conditions.ifMatch !== undefined || conditions.ifNoneMatch !== undefined;
}

function includesEtag(condition: EtagCondition, etag: Etag): boolean {
  return condition === '*' || condition.includes(etag);
}

/** HTTP dates have whole seconds, stored instants milliseconds. */
function toSeconds(at: TimeMs): number {
  return Math.floor(at / 1000);
}

function failed(condition: string): ServiceError {
  return new ServiceError('precondition_failed', `${condition} did not hold.`, {
    details: { condition },
  });
}
