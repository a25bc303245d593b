import { formatAmzDate } from './amz-date.ts';
import { formatCredential } from './credential-scope.ts';
import { ALGORITHM, isEqualSignature, signature } from './sign.ts';
import { type Signer, scopeOf } from './sign-request.ts';
import { deriveSigningKey, type SigningKey } from './signing-key.ts';

export type Policy = {
  readonly expiresAtMs: number;
  /** What the form may say, besides the fields that signing adds. */
  readonly conditions: readonly unknown[];
};

/** The fields that a form needs besides those that its conditions speak of. */
export type PolicyFields = {
  readonly policy: string;
  readonly 'x-amz-algorithm': string;
  readonly 'x-amz-credential': string;
  readonly 'x-amz-date': string;
  readonly 'x-amz-signature': string;
};

/** Signs the policy of a form upload. */
export function signPolicy(
  signer: Signer,
  { expiresAtMs, conditions }: Policy,
  { atMs }: { readonly atMs: number },
): PolicyFields {
  const amzDate = formatAmzDate(atMs);
  const scope = scopeOf(signer, amzDate);
  const fields = {
    'x-amz-algorithm': ALGORITHM,
    'x-amz-credential': formatCredential(scope),
    'x-amz-date': amzDate,
  };
  const own = Object.entries(fields).map(([name, value]) => ({ [name]: value }));
  const expiration = new Date(expiresAtMs).toISOString();
  const text = JSON.stringify({ expiration, conditions: [...conditions, ...own] });
  const policy = Buffer.from(text, 'utf8').toString('base64');
  const key = deriveSigningKey(scope, signer.secret);
  return { policy, ...fields, 'x-amz-signature': signature(key, policy) };
}

/** Whether the form field `policy`, in base64 as sent, was signed with `key`. */
export function isPolicySigned(
  key: SigningKey,
  fields: Pick<PolicyFields, 'policy' | 'x-amz-signature'>,
): boolean {
  return isEqualSignature(signature(key, fields.policy), fields['x-amz-signature']);
}
