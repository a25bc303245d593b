/**
 * Holds a request's signature against the secret of its key. What a proxy may have changed on the
 * way, the host and the accepted encodings, is tried in the forms that the client may have signed.
 */
import type { IncomingMessage } from 'node:http';
import { isInBlocks } from '../../../kit/ip.ts';
import { canonicalRequest } from '../../../kit/sigv4/canonical-request.ts';
import type { ChunkSigner } from '../../../kit/sigv4/chunk-signature.ts';
import { type CredentialScope, formatScope } from '../../../kit/sigv4/credential-scope.ts';
import { isEqualSignature, signature, stringToSign } from '../../../kit/sigv4/sign.ts';
import type { S3Deps } from '../deps.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';

/** What a request claims of itself, well formed but not proved. */
export type Claim = {
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly amzDate: string;
  /** As sent, which is what was signed. */
  readonly payloadHash: string;
  readonly isPresigned: boolean;
  readonly securityToken?: string | undefined;
};

type Signed = {
  readonly head: RequestHead;
  readonly request: IncomingMessage;
  readonly claim: Claim;
  readonly secret: string;
};

/** Answers what chunk signatures go on from. Throws `SignatureDoesNotMatch`. */
export function verifySignature(
  deps: S3Deps,
  signed: Signed,
): ChunkSigner & { readonly seed: string } {
  const { claim } = signed;
  const signingKey = deps.signingKeys.get(claim.scope, signed.secret);
  const scope = formatScope(claim.scope);
  const { amzDate } = claim;
  const attempt = (overrides: ReadonlyMap<string, string> | undefined) => {
    const canonical = canonicalOf(signed, overrides);
    const text = stringToSign({ amzDate, scope, canonical });
    const isEqual = isEqualSignature(signature(signingKey, text), claim.signature);
    return { canonical, text, isEqual };
  };
  const plain = attempt(undefined);
  const isGood =
    plain.isEqual || rewrittenForms(deps, signed).some((overrides) => attempt(overrides).isEqual);
  if (isGood) return { signingKey, amzDate, scope, seed: claim.signature };
  throw new S3Refusal('SignatureDoesNotMatch', undefined, {
    AWSAccessKeyId: claim.scope.accessKeyId,
    StringToSign: plain.text,
    SignatureProvided: claim.signature,
    StringToSignBytes: hexBytes(plain.text),
    CanonicalRequest: Buffer.from(plain.canonical, 'latin1').toString('utf8'),
    CanonicalRequestBytes: hexBytes(plain.canonical),
  });
}

function canonicalOf(
  { head, claim }: Signed,
  overrides: ReadonlyMap<string, string> | undefined,
): string {
  return canonicalRequest({
    method: head.method,
    rawPath: head.rawPath,
    rawQuery: head.rawQuery,
    rawHeaders: head.rawHeaders,
    signedHeaders: claim.signedHeaders,
    payloadHash: claim.payloadHash,
    isPresigned: claim.isPresigned,
    ...(overrides === undefined ? {} : { overrides }),
  });
}

/** Every combination of the hosts and encodings that may have been signed, but the plain one. */
function rewrittenForms(deps: S3Deps, signed: Signed): readonly ReadonlyMap<string, string>[] {
  const { head, claim } = signed;
  const hosts = candidateHosts(deps, signed);
  const encodings = claim.signedHeaders.includes('accept-encoding')
    ? [undefined, ...SIGNED_ENCODINGS.filter((one) => one !== head.headers['accept-encoding'])]
    : [undefined];
  return hosts.flatMap((host) =>
    encodings.flatMap((encoding) => {
      const overrides = new Map<string, string>();
      if (host !== undefined) overrides.set('host', host);
      if (encoding !== undefined) overrides.set('accept-encoding', encoding);
      return overrides.size === 0 ? [] : [overrides];
    }),
  );
}

/** What SDKs sign there; proxies and CDNs rewrite the header (notes/s3-clients.md, point 4). */
const SIGNED_ENCODINGS = ['identity', 'gzip'];

/** `undefined` is the host as it came. */
function candidateHosts(deps: S3Deps, { head, request }: Signed): readonly (string | undefined)[] {
  const sent = head.headers['host'] ?? '';
  const isTrusted = isInBlocks(request.socket.remoteAddress ?? '', deps.settings.trustedProxies);
  const forwarded = isTrusted ? head.headers['x-forwarded-host'] : undefined;
  const known = [sent, forwarded?.split(',', 1)[0]?.trim(), hostOf(deps.settings.publicUrl())];
  const hosts = new Set<string>();
  for (const host of known) {
    if (host === undefined || host === '') continue;
    hosts.add(host);
    const bare = host.replace(/:(?:80|443)$/, '');
    hosts.add(bare);
    if (!/:\d+$/.test(bare)) for (const port of [80, 443]) hosts.add(`${bare}:${port}`);
  }
  hosts.delete(sent);
  return [undefined, ...hosts];
}

function hostOf(url: string): string {
  return url.replace(/^https?:\/\//, '');
}

function hexBytes(text: string): string {
  return Buffer.from(text, 'latin1')
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1 ');
}
