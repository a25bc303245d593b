/** Conditional headers as values of the core. */
import type { TimeMs } from '../../../core/ids.ts';
import {
  type DeleteConditions,
  type EtagCondition,
  parseEtagCondition,
  type ReadConditions,
  type WriteConditions,
} from '../../../core/objects/commit/condition.ts';
import { parseHttpDate } from '../../../kit/http-date.ts';
import type { RequestHead } from './request-head.ts';
import { invalidArgument, S3Refusal } from './s3-refusal.ts';

type Headers = RequestHead['headers'];

export function readConditions(headers: Headers): ReadConditions {
  return {
    ifMatch: parseEtagCondition(headers['if-match']),
    ifNoneMatch: parseEtagCondition(headers['if-none-match']),
    ifModifiedSince: dateOf(headers['if-modified-since']),
    ifUnmodifiedSince: dateOf(headers['if-unmodified-since']),
  };
}

/**
 * The conditions on the source of a copy. What cannot be read must not copy: throws
 * `InvalidArgument`.
 */
export function copyConditions(headers: Headers): ReadConditions {
  const etagOf = (name: string) => guardingEtag(name, headers[name]);
  const timeOf = (name: string) => guardingDate(name, headers[name]);
  return {
    ifMatch: etagOf('x-amz-copy-source-if-match'),
    ifNoneMatch: etagOf('x-amz-copy-source-if-none-match'),
    ifModifiedSince: timeOf('x-amz-copy-source-if-modified-since'),
    ifUnmodifiedSince: timeOf('x-amz-copy-source-if-unmodified-since'),
  };
}

/**
 * Throws `NotImplemented` for what S3 has no meaning for: both, or an ETag that must not match; and
 * `InvalidArgument` for a condition that says nothing.
 */
export function writeConditions(headers: Headers): WriteConditions {
  const ifMatch = guardingEtag('If-Match', headers['if-match']);
  const ifNoneMatch = guardingEtag('If-None-Match', headers['if-none-match']);
  if (ifNoneMatch === undefined) return ifMatch === undefined ? NO_CONDITIONS : { ifMatch };
  if (ifMatch !== undefined || ifNoneMatch !== '*') {
    throw new S3Refusal('NotImplemented', undefined, { Header: 'If-None-Match' });
  }
  return { ifNoneMatch };
}

/**
 * A guard of a delete, in headers or in a document. What cannot be read must not delete: throws
 * `InvalidArgument`.
 */
export function deleteConditions(said: {
  readonly etag: string | undefined;
  readonly sizeBytes: string | undefined;
  readonly lastModified: string | undefined;
}): DeleteConditions {
  return {
    ifMatch: guardingEtag('ETag', said.etag),
    sizeBytes: sizeOf(said.sizeBytes),
    createdAt: guardingDate('LastModifiedTime', said.lastModified),
  };
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidArgument('A size is a number of bytes.', 'Size', text);
}

/** Of what changes something: an empty field is no leave to change it. */
function guardingEtag(name: string, text: string | undefined): EtagCondition | undefined {
  const condition = parseEtagCondition(text);
  if (text === undefined || condition !== undefined) return condition;
  throw invalidArgument('A condition names an ETag.', name, text);
}

function guardingDate(name: string, text: string | undefined): TimeMs | undefined {
  const at = dateOf(text);
  if (text === undefined || at !== undefined) return at;
  throw invalidArgument('A time of last modification is an HTTP date.', name, text);
}

const NO_CONDITIONS: WriteConditions = {};

/** What is no date of HTTP is ignored where something is read (RFC 9110 section 13.1.3). */
function dateOf(text: string | undefined): TimeMs | undefined {
  return text === undefined ? undefined : (parseHttpDate(text) as TimeMs | undefined);
}
