import { parseAmzDate } from './amz-date.ts';
import { type CredentialScope, parseCredential } from './credential-scope.ts';
import { decodeQueryPart } from './percent.ts';
import { ALGORITHM } from './sign.ts';
import { parseSignedHeaders } from './signed-headers.ts';
import { SigV4Error } from './sigv4-error.ts';

/** What the query of a presigned URL says about its signature. */
export type PresignedQuery = {
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  /** As sent: whatever it is, it is only ever compared. */
  readonly signature: string;
  /** As sent, which is what was signed. */
  readonly amzDate: string;
  readonly signedAtMs: number;
  /** 0 to 604,800; whether the URL is still good is for the caller, who knows the time. */
  readonly expiresSeconds: number;
  /** `X-Amz-Content-Sha256`, where it stands in the query. */
  readonly contentSha256: string | undefined;
  /** `X-Amz-Security-Token`, where it stands in the query. */
  readonly securityToken: string | undefined;
};

/** A week, the most that Signature Version 4 allows. */
const EXPIRES_SECONDS_MAX = 604_800;

const REQUIRED = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
] as const;
const READ: ReadonlySet<string> = new Set([
  ...REQUIRED,
  'X-Amz-Content-Sha256',
  'X-Amz-Security-Token',
]);

/** Whether the query claims to sign the request, well or badly. */
export function hasPresignedQuery(rawQuery: string): boolean {
  return /(?:^|&)X-Amz-(?:Algorithm|Credential|Signature)(?:=|&|$)/.test(rawQuery);
}

/** Reads the query of a presigned URL; throws `SigV4Error`, and nothing else. */
export function parsePresignedQuery(rawQuery: string): PresignedQuery {
  const values = valuesOf(rawQuery);
  const [algorithm = '', credential = '', amzDate = '', expires = '', names = '', signature = ''] =
    REQUIRED.map((name) => {
      const value = values.get(name);
      if (value) return value;
      throw new SigV4Error('missing_part', `The query lacks ${name}.`);
    });
  if (algorithm !== ALGORITHM) {
    throw new SigV4Error('wrong_algorithm', `X-Amz-Algorithm is not ${ALGORITHM}.`);
  }
  const scope = parseCredential(credential);
  const signedAtMs = parseAmzDate(amzDate);
  if (signedAtMs === undefined) {
    throw new SigV4Error('bad_date', 'X-Amz-Date is not of the form yyyyMMddTHHmmssZ.');
  }
  if (!amzDate.startsWith(scope.date)) {
    throw new SigV4Error('bad_date', "X-Amz-Date is not of the credential's day.");
  }
  return {
    scope,
    signedHeaders: parseSignedHeaders(names),
    signature,
    amzDate,
    signedAtMs,
    expiresSeconds: parseExpires(expires),
    contentSha256: values.get('X-Amz-Content-Sha256'),
    securityToken: values.get('X-Amz-Security-Token'),
  };
}

function valuesOf(rawQuery: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const pair of rawQuery.split('&')) {
    const equals = pair.indexOf('=');
    const name = decodeQueryPart(equals === -1 ? pair : pair.slice(0, equals));
    if (!READ.has(name)) continue;
    if (values.has(name)) throw new SigV4Error('malformed', `The query has ${name} twice.`);
    values.set(name, equals === -1 ? '' : decodeQueryPart(pair.slice(equals + 1)));
  }
  return values;
}

function parseExpires(text: string): number {
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= EXPIRES_SECONDS_MAX) return seconds;
  throw new SigV4Error(
    'bad_expires',
    `X-Amz-Expires is not a number of seconds from 0 to ${EXPIRES_SECONDS_MAX}.`,
  );
}
