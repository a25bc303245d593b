/** Finds out who sent a request, in the contract's order: shape and date, key, signature. */
import type { IncomingMessage } from 'node:http';
import { isServiceError } from '../../../core/errors.ts';
import {
  findAccessKey,
  noteAccessKeyUse,
} from '../../../core/identity/s3-keys/authenticate-access-key.ts';
import { parseHttpDate } from '../../../kit/http-date.ts';
import { formatAmzDate, parseAmzDate } from '../../../kit/sigv4/amz-date.ts';
import { parseAuthorization } from '../../../kit/sigv4/authorization.ts';
import type { CredentialScope } from '../../../kit/sigv4/credential-scope.ts';
import { hasPresignedQuery, parsePresignedQuery } from '../../../kit/sigv4/presigned-query.ts';
import { findUnsignedHeaders } from '../../../kit/sigv4/signed-headers.ts';
import { SigV4Error } from '../../../kit/sigv4/sigv4-error.ts';
import type { S3Deps } from '../deps.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { xmlTime } from '../wire/xml-time.ts';
import type { Caller, Payload } from './caller.ts';
import { parsePayload } from './payload.ts';
import { oldSignatureRefusal, requireRegion } from './signing-rules.ts';
import { type Claim, verifySignature } from './verify-signature.ts';

/** The most by which a client's clock may be off. */
const SKEW_MS_MAX = 15 * 60_000;

export async function authenticate(
  deps: S3Deps,
  head: RequestHead,
  request: IncomingMessage,
): Promise<Caller> {
  // An empty header says nothing of anyone; conformance suites hold that to be nobody's request.
  const authorization = head.headers['authorization'] || undefined;
  const isPresigned = head.rawQuery !== '' && hasPresignedQuery(head.rawQuery);
  refuseOldSignatures(head);
  if (authorization !== undefined && isPresigned) {
    throw new S3Refusal(
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified.',
      { ArgumentName: 'Authorization', ArgumentValue: authorization },
    );
  }
  if (isPresigned) return await prove(deps, head, request, presignedClaim(deps, head));
  if (authorization === undefined) return anonymous(head);
  refuseOtherTypes(authorization);
  return await prove(deps, head, request, headerClaim(deps, head, authorization));
}

function refuseOldSignatures({ headers, query }: RequestHead): void {
  const isOld =
    headers['authorization']?.startsWith('AWS ') ||
    (query.has('AWSAccessKeyId') && query.has('Signature'));
  if (isOld) throw oldSignatureRefusal();
}

/** What is no signature of AWS at all, as the credentials of the API are. */
function refuseOtherTypes(authorization: string): void {
  const [, type] = /^(\S+) /.exec(authorization) ?? [];
  if (type === undefined || type.startsWith('AWS')) return;
  throw new S3Refusal('InvalidArgument', 'Unsupported Authorization Type', {
    ArgumentName: 'Authorization',
    ArgumentValue: type,
    Hint: OTHER_KEYS,
  });
}

function anonymous({ headers }: RequestHead): Caller {
  const text = headers['x-amz-content-sha256'];
  const payload: Payload = text === undefined ? { kind: 'unsigned' } : parsePayload(text);
  if (payload.kind === 'chunked' && payload.isSigned) {
    throw new S3Refusal('InvalidRequest', 'Signed chunks need a signed request.');
  }
  return { kind: 'anonymous', principal: undefined, payload };
}

async function prove(
  deps: S3Deps,
  head: RequestHead,
  request: IncomingMessage,
  claim: Claim,
): Promise<Caller> {
  if (!isAskingForLocation(head, claim.scope)) requireRegion(deps, claim.scope);
  const { headers } = head;
  if (claim.securityToken !== undefined || headers['x-amz-security-token'] !== undefined) {
    throw new S3Refusal('InvalidToken');
  }
  const found = await findKey(deps, claim.scope.accessKeyId);
  const [unsigned] = findUnsignedHeaders(head.rawHeaders, claim.signedHeaders);
  if (unsigned !== undefined) {
    throw new S3Refusal(
      'AccessDenied',
      'There were headers present in the request which were not signed',
      { HeadersNotSigned: unsigned },
    );
  }
  const chain = verifySignature(deps, { head, request, claim, secret: found.secret });
  const payload = parsePayload(claim.payloadHash);
  await noteAccessKeyUse(deps, found);
  return {
    kind: 'key',
    principal: found.principal,
    region: claim.scope.region,
    payload,
    chain,
  };
}

/** A location may be asked for from AWS's first region: how else would one learn it? */
function isAskingForLocation({ method, query }: RequestHead, { region }: CredentialScope): boolean {
  return region === 'us-east-1' && method === 'GET' && query.has('location');
}

async function findKey(deps: S3Deps, accessKeyId: string) {
  try {
    return await findAccessKey(deps, accessKeyId);
  } catch (error) {
    if (!isServiceError(error, 'credential_invalid')) throw error;
    throw new S3Refusal('InvalidAccessKeyId', undefined, { AWSAccessKeyId: accessKeyId });
  }
}

function headerClaim(deps: S3Deps, head: RequestHead, authorization: string): Claim {
  const { scope, signedHeaders, signature } = readClaim('AuthorizationHeaderMalformed', () =>
    parseAuthorization(authorization),
  );
  requireS3(scope, 'AuthorizationHeaderMalformed');
  const { amzDate, at } = dateOf(head);
  if (!amzDate.startsWith(scope.date)) {
    throw new S3Refusal(
      'AuthorizationHeaderMalformed',
      'The authorization header is malformed; the date of its credential is not that of the request.',
    );
  }
  const serverTime = deps.clock.now();
  if (Math.abs(serverTime - at) > SKEW_MS_MAX) {
    throw new S3Refusal('RequestTimeTooSkewed', undefined, {
      RequestTime: amzDate,
      ServerTime: xmlTime(serverTime),
      MaxAllowedSkewMilliseconds: SKEW_MS_MAX,
    });
  }
  const payloadHash = head.headers['x-amz-content-sha256'];
  if (payloadHash === undefined) {
    throw new S3Refusal(
      'InvalidRequest',
      'Missing required header for this request: x-amz-content-sha256',
    );
  }
  return { scope, signedHeaders, signature, amzDate, payloadHash, isPresigned: false };
}

/** `x-amz-date`, or else `Date` in either of its forms, as the signature has it. */
function dateOf({ headers }: RequestHead): { readonly amzDate: string; readonly at: number } {
  const amzDate = headers['x-amz-date'];
  if (amzDate !== undefined) {
    const at = parseAmzDate(amzDate);
    if (at !== undefined) return { amzDate, at };
  } else if (headers['date'] !== undefined) {
    const at = parseAmzDate(headers['date']) ?? parseHttpDate(headers['date']);
    if (at !== undefined) return { amzDate: formatAmzDate(at), at };
  }
  throw new S3Refusal(
    'AccessDenied',
    'AWS authentication requires a valid Date or x-amz-date header',
  );
}

function presignedClaim(deps: S3Deps, head: RequestHead): Claim {
  const code = 'AuthorizationQueryParametersError';
  const query = readClaim(code, () => parsePresignedQuery(head.rawQuery));
  requireS3(query.scope, code);
  const now = deps.clock.now();
  if (now < query.signedAtMs - SKEW_MS_MAX) {
    throw new S3Refusal('AccessDenied', 'Request is not valid yet', {
      ServerTime: xmlTime(now),
    });
  }
  const endsAt = query.signedAtMs + query.expiresSeconds * 1000;
  if (now >= endsAt) {
    throw new S3Refusal('AccessDenied', 'Request has expired', {
      'X-Amz-Expires': query.expiresSeconds,
      ExpiresDate: xmlTime(endsAt),
      ServerTime: xmlTime(now),
    });
  }
  const ofHeader = query.signedHeaders.includes('x-amz-content-sha256')
    ? head.headers['x-amz-content-sha256']
    : undefined;
  const payloadHash = query.contentSha256 ?? ofHeader ?? 'UNSIGNED-PAYLOAD';
  return { ...query, payloadHash, isPresigned: true };
}

function readClaim<T>(
  code: 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError',
  read: () => T,
): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SigV4Error)) throw error;
    const isOther = error.kind === 'wrong_algorithm';
    throw new S3Refusal(code, isOther ? `${error.message} ${OTHER_KEYS}` : error.message);
  }
}

const OTHER_KEYS = 'Requests are signed with an S3 key; app keys and tokens are for the API.';

function requireS3(
  scope: CredentialScope,
  code: 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError',
): void {
  if (scope.service !== 's3') {
    throw new S3Refusal(code, 'The credential is for another service than s3.');
  }
}
