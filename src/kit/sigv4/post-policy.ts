import { formatAmzDate } from './amz-date.ts';
import { formatCredential } from './credential-scope.ts';
import { ALGORITHM, isEqualSignature, signature } from './sign.ts';
import { type Signer, scopeOf } from './sign-request.ts';
import { deriveSigningKey, type SigningKey } from './signing-key.ts';

/** The fields that a form needs besides those that its policy speaks of. */
export type PolicyFields = {
  readonly policy: string;
  readonly 'x-amz-algorithm': string;
  readonly 'x-amz-credential': string;
  readonly 'x-amz-date': string;
  readonly 'x-amz-signature': string;
};

/** What the fields must say besides the signature: the policy has to cover them itself. */
export function policyCredential(
  signer: Signer,
  { atMs }: { readonly atMs: number },
): Pick<PolicyFields, 'x-amz-algorithm' | 'x-amz-credential' | 'x-amz-date'> {
  const amzDate = formatAmzDate(atMs);
  return {
    'x-amz-algorithm': ALGORITHM,
    'x-amz-credential': formatCredential(scopeOf(signer, amzDate)),
    'x-amz-date': amzDate,
  };
}

/** Signs the policy of a form upload, the JSON text `policy`. */
export function signPolicy(
  signer: Signer,
  policy: string,
  { atMs }: { readonly atMs: number },
): PolicyFields {
  const base64 = Buffer.from(policy, 'utf8').toString('base64');
  const key = deriveSigningKey(scopeOf(signer, formatAmzDate(atMs)), signer.secret);
  return {
    policy: base64,
    ...policyCredential(signer, { atMs }),
    'x-amz-signature': signature(key, base64),
  };
}

/** Whether the form field `policy`, in base64 as sent, was signed by the key of its credential. */
export function isPolicySigned(
  key: SigningKey,
  fields: Pick<PolicyFields, 'policy' | 'x-amz-signature'>,
): boolean {
  return isEqualSignature(signature(key, fields.policy), fields['x-amz-signature']);
}
