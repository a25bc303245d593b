/** Forms that several routes of the Files API share. */
import { Type } from 'typebox';
import { ServiceError } from '../../core/errors.ts';
import type { TimeMs } from '../../core/ids.ts';

export const FileNameSchema = Type.String({
  description: 'Name relative to the root of the account, `/` between segments.',
  examples: ['hello.txt'],
});

/** Where a call stands; published clients know some calls by several addresses. */
export type RouteAddress = { readonly operationId: string; readonly url: string };

export const OPERATION_EXAMPLE = {
  operation_id: '5e8d7c3a-1f4b-4a6e-9c2d-7b8a9f0e1d2c',
  file_name: 'hello.txt',
  status: 'completed',
} as const;

/** RFC 3339, UTC, with milliseconds. */
export function isoTime(at: TimeMs): string {
  return new Date(at).toISOString();
}

/** Parses a time of the wire: RFC 3339 with a zone. Throws `invalid_field`. */
export function parseTime(text: string, field: string): TimeMs {
  const groups = RFC3339.exec(text)?.groups;
  const at = groups !== undefined && isDayOfMonth(groups) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) {
    throw new ServiceError('invalid_field', `${field} must be an RFC 3339 time with a zone.`, {
      details: { field },
    });
  }
  return at as TimeMs;
}

const RFC3339 =
  /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/i;

/** The platform takes 30 February for 2 March. */
function isDayOfMonth({ year, month, day }: Readonly<Record<string, string>>): boolean {
  return Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

const CONTENT_TYPE_LENGTH_MAX = 1024;

/** The content type of an upload as it is kept; none is `application/octet-stream`. */
export function parseContentType(text: string | undefined): string {
  if (text === undefined || text.trim() === '') return 'application/octet-stream';
  if (text.length > CONTENT_TYPE_LENGTH_MAX) {
    throw new ServiceError('invalid_field', 'Content-Type is too long.', {
      details: { field: 'Content-Type' },
    });
  }
  return text.trim();
}

/**
 * The coding of an upload as it is kept, or `undefined`. `aws-chunked` and `identity` say how it
 * was sent, and nothing of what it is.
 */
export function parseContentEncoding(field: string | undefined): string | undefined {
  const codings = (field ?? '')
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => !['', 'aws-chunked', 'identity'].includes(coding.toLowerCase()));
  const text = codings.join(', ');
  if (text.length > CONTENT_TYPE_LENGTH_MAX) {
    throw new ServiceError('invalid_field', 'Content-Encoding is too long.', {
      details: { field: 'Content-Encoding' },
    });
  }
  return text === '' ? undefined : text;
}
