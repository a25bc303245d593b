/** Verifies requests as they stand on the wire, as a listener would. */
import { parseAuthorization } from '../../src/kit/sigv4/authorization.ts';
import { canonicalRequest } from '../../src/kit/sigv4/canonical-request.ts';
import { type CredentialScope, formatScope } from '../../src/kit/sigv4/credential-scope.ts';
import { parsePresignedQuery } from '../../src/kit/sigv4/presigned-query.ts';
import { isEqualSignature, signature, stringToSign } from '../../src/kit/sigv4/sign.ts';
import { deriveSigningKey } from '../../src/kit/sigv4/signing-key.ts';

export type WireRequest = {
  readonly method: string;
  /** Path and query as on the request line, latin1. */
  readonly target: string;
  readonly rawHeaders: readonly string[];
};

/** The first value of a header, by its lower-case name. */
export function headerOf(rawHeaders: readonly string[], name: string): string {
  const at = rawHeaders.findIndex((raw, index) => index % 2 === 0 && raw.toLowerCase() === name);
  return at === -1 ? '' : (rawHeaders[at + 1] ?? '');
}

/** Whether the `Authorization` header was made with `secret`; throws `SigV4Error`. */
export function isSignedInHeader(request: WireRequest, secret: string): boolean {
  const claim = parseAuthorization(headerOf(request.rawHeaders, 'authorization'));
  const amzDate = headerOf(request.rawHeaders, 'x-amz-date');
  const payloadHash = headerOf(request.rawHeaders, 'x-amz-content-sha256');
  return isSigned(request, secret, { ...claim, amzDate, payloadHash, isPresigned: false });
}

/** Whether the query was signed with `secret`; throws `SigV4Error`. */
export function isSignedInQuery(request: WireRequest, secret: string): boolean {
  const claim = parsePresignedQuery(splitTarget(request.target).rawQuery);
  const payloadHash = claim.contentSha256 ?? 'UNSIGNED-PAYLOAD';
  return isSigned(request, secret, { ...claim, payloadHash, isPresigned: true });
}

function isSigned(
  { method, target, rawHeaders }: WireRequest,
  secret: string,
  claim: {
    readonly scope: CredentialScope;
    readonly signedHeaders: readonly string[];
    readonly signature: string;
    readonly amzDate: string;
    readonly payloadHash: string;
    readonly isPresigned: boolean;
  },
): boolean {
  const { scope, signedHeaders, payloadHash, isPresigned } = claim;
  const canonical = canonicalRequest({
    ...{ method, ...splitTarget(target), rawHeaders },
    ...{ signedHeaders, payloadHash, isPresigned },
  });
  const text = stringToSign({ amzDate: claim.amzDate, scope: formatScope(scope), canonical });
  return isEqualSignature(signature(deriveSigningKey(scope, secret), text), claim.signature);
}

export function splitTarget(target: string): {
  readonly rawPath: string;
  readonly rawQuery: string;
} {
  const mark = target.indexOf('?');
  if (mark === -1) return { rawPath: target, rawQuery: '' };
  return { rawPath: target.slice(0, mark), rawQuery: target.slice(mark + 1) };
}
