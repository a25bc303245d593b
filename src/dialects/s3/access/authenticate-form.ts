/** Finds out who signed the policy of a form upload. */
import {
  findAccessKey,
  noteAccessKeyUse,
} from '../../../core/identity/s3-keys/authenticate-access-key.ts';
import type { Principal } from '../../../core/principal.ts';
import { parseAmzDate } from '../../../kit/sigv4/amz-date.ts';
import { type CredentialScope, parseCredential } from '../../../kit/sigv4/credential-scope.ts';
import { isPolicySigned } from '../../../kit/sigv4/post-policy.ts';
import { ALGORITHM } from '../../../kit/sigv4/sign.ts';
import { SigV4Error } from '../../../kit/sigv4/sigv4-error.ts';
import type { S3Deps } from '../deps.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { oldSignatureRefusal, requireRegion } from './signing-rules.ts';

type Fields = ReadonlyMap<string, string>;

/**
 * Answers whose form it is; what the policy says is not looked at. Throws `AccessDenied` for a form
 * without a policy, `InvalidArgument`, `InvalidRequest`, `InvalidToken`,
 * `AuthorizationHeaderMalformed`, `SignatureDoesNotMatch`, and what `findAccessKey` throws.
 */
export async function authenticateForm(
  deps: Pick<S3Deps, 'metadata' | 'clock' | 'keyring' | 'accessKeys' | 'signingKeys' | 'settings'>,
  fields: Fields,
): Promise<Principal> {
  const policy = fields.get('policy');
  if (policy === undefined) throw new S3Refusal('AccessDenied');
  if (fields.has('awsaccesskeyid')) {
    throw oldSignatureRefusal();
  }
  const scope = scopeOf(fields);
  requireRegion(deps, scope);
  if (fields.has('x-amz-security-token')) throw new S3Refusal('InvalidToken');
  const found = await findAccessKey(deps, scope.accessKeyId);
  const key = deps.signingKeys.get(scope, found.secret);
  const signature = requireField(fields, 'X-Amz-Signature');
  if (!isPolicySigned(key, { policy, 'x-amz-signature': signature })) {
    throw new S3Refusal('SignatureDoesNotMatch', undefined, {
      AWSAccessKeyId: scope.accessKeyId,
      StringToSign: policy,
      SignatureProvided: signature,
    });
  }
  await noteAccessKeyUse(deps, found);
  return found.principal;
}

/** A field without which a form is not served. */
export function requireField(fields: Fields, name: string): string {
  const value = fields.get(name.toLowerCase());
  if (value !== undefined) return value;
  throw invalidArgument(
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
    name,
    '',
  );
}

function scopeOf(fields: Fields): CredentialScope {
  const algorithm = requireField(fields, 'X-Amz-Algorithm');
  const credential = requireField(fields, 'X-Amz-Credential');
  const amzDate = requireField(fields, 'X-Amz-Date');
  requireField(fields, 'X-Amz-Signature');
  if (algorithm !== ALGORITHM) {
    throw invalidArgument(
      `X-Amz-Algorithm only supports "${ALGORITHM}"`,
      'X-Amz-Algorithm',
      algorithm,
    );
  }
  const scope = readScope(credential);
  if (scope.service !== 's3') {
    throw invalidArgument(
      'The credential is for another service than s3.',
      'X-Amz-Credential',
      credential,
    );
  }
  if (parseAmzDate(amzDate) === undefined || !amzDate.startsWith(scope.date)) {
    throw invalidArgument(
      "X-Amz-Date must be formatted as 'yyyyMMddTHHmmssZ' and of the day of the credential.",
      'X-Amz-Date',
      amzDate,
    );
  }
  return scope;
}

function readScope(credential: string): CredentialScope {
  try {
    return parseCredential(credential);
  } catch (error) {
    if (!(error instanceof SigV4Error)) throw error;
    throw invalidArgument(error.message, 'X-Amz-Credential', credential);
  }
}
