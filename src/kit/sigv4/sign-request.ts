import { formatAmzDate } from './amz-date.ts';
import { canonicalRequest } from './canonical-request.ts';
import { type CredentialScope, formatCredential, formatScope } from './credential-scope.ts';
import { ALGORITHM, signature, stringToSign } from './sign.ts';
import { deriveSigningKey, type SigningKey } from './signing-key.ts';

/** Who signs, and for which service. */
export type Signer = {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly region: string;
  readonly service: string;
};

export type RequestToSign = {
  readonly method: string;
  /** Path and query as they will stand on the request line. */
  readonly rawPath: string;
  readonly rawQuery: string;
  /** The headers to be signed, `Host` among them, as a flat list of names and values. */
  readonly rawHeaders: readonly string[];
  /** Hex of the body's SHA-256, `UNSIGNED-PAYLOAD`, or the name of a streaming form. */
  readonly payloadHash: string;
};

export type SignedHeaders = {
  /** `rawHeaders` and those that signing adds: the date, the payload hash, the authorization. */
  readonly rawHeaders: readonly string[];
  /** What the signatures of a streaming body's chunks begin with. */
  readonly signature: string;
  readonly signingKey: SigningKey;
  readonly amzDate: string;
  readonly scope: string;
};

/** Signs a request in its `Authorization` header. */
export function signRequest(
  signer: Signer,
  request: RequestToSign,
  { atMs }: { readonly atMs: number },
): SignedHeaders {
  const amzDate = formatAmzDate(atMs);
  const scope = scopeOf(signer, amzDate);
  const rawHeaders = [
    ...request.rawHeaders,
    ...['x-amz-date', amzDate, 'x-amz-content-sha256', request.payloadHash],
  ];
  const signedHeaders = namesOf(rawHeaders);
  const canonical = canonicalRequest({ ...request, rawHeaders, signedHeaders, isPresigned: false });
  const signingKey = deriveSigningKey(scope, signer.secret);
  const text = stringToSign({ amzDate, scope: formatScope(scope), canonical });
  const made = signature(signingKey, text);
  const authorization =
    `${ALGORITHM} Credential=${formatCredential(scope)}, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${made}`;
  return {
    rawHeaders: [...rawHeaders, 'Authorization', authorization],
    signature: made,
    signingKey,
    amzDate,
    scope: formatScope(scope),
  };
}

/** The scope of what `signer` signs at `amzDate`. */
export function scopeOf(signer: Signer, amzDate: string): CredentialScope {
  const { accessKeyId, region, service } = signer;
  return { accessKeyId, date: amzDate.slice(0, 8), region, service };
}

function namesOf(rawHeaders: readonly string[]): readonly string[] {
  const names = rawHeaders.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
  return [...new Set(names)].sort();
}
