import { formatAmzDate } from './amz-date.ts';
import { canonicalRequest } from './canonical-request.ts';
import { formatCredential, formatScope } from './credential-scope.ts';
import { encodeQueryPart } from './percent.ts';
import { ALGORITHM, signature, stringToSign } from './sign.ts';
import { type Signer, scopeOf } from './sign-request.ts';
import { deriveSigningKey } from './signing-key.ts';

export type UrlToSign = {
  readonly method: string;
  /** `https://s3.example.com`, with its port when it is not the scheme's own. */
  readonly origin: string;
  /** The path as it will stand on the request line. */
  readonly rawPath: string;
  /** Further parameters, not encoded. */
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** Headers besides `host` that whoever uses the URL must send just so, as a flat list. */
  readonly rawHeaders?: readonly string[];
  /** 0 to `EXPIRES_SECONDS_MAX`. */
  readonly expiresSeconds: number;
};

/** A URL that carries its signature; its body is not signed. */
export function presignUrl(
  signer: Signer,
  url: UrlToSign,
  { atMs }: { readonly atMs: number },
): string {
  const amzDate = formatAmzDate(atMs);
  const scope = scopeOf(signer, amzDate);
  const host = url.origin.replace(/^https?:\/\//, '');
  const rawHeaders = ['host', host, ...(url.rawHeaders ?? [])];
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  const signedHeaders = [...new Set(names)].sort();
  const rawQuery = [
    ...(url.query ?? []),
    ['X-Amz-Algorithm', ALGORITHM] as const,
    ['X-Amz-Credential', formatCredential(scope)] as const,
    ['X-Amz-Date', amzDate] as const,
    ['X-Amz-Expires', `${url.expiresSeconds}`] as const,
    ['X-Amz-SignedHeaders', signedHeaders.join(';')] as const,
  ]
    .map(([name, value]) => `${encodeQueryPart(name)}=${encodeQueryPart(value)}`)
    .join('&');
  const canonical = canonicalRequest({
    method: url.method,
    rawPath: url.rawPath,
    rawQuery,
    rawHeaders,
    signedHeaders,
    payloadHash: UNSIGNED_PAYLOAD,
    isPresigned: true,
  });
  const text = stringToSign({ amzDate, scope: formatScope(scope), canonical });
  const made = signature(deriveSigningKey(scope, signer.secret), text);
  return `${url.origin}${url.rawPath}?${rawQuery}&X-Amz-Signature=${made}`;
}

const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
