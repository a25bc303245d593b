/** Who is asking: an account by one of its credentials, or nobody in particular. */
import type { AccessKeyId, AccountId, AccountSlug, BucketId, SessionId, TokenId } from './ids.ts';

/** Scopes that a token may carry (files-api.md, pinning-api.md). */
export const SCOPES = [
  'files:read',
  'files:write',
  'files:delete',
  'cluster:read',
  'account:read',
  'tokens:write',
  's3:keys',
] as const;

export type Scope = (typeof SCOPES)[number];

export type Role = 'user' | 'operator';

export type Credential =
  | { readonly kind: 'session'; readonly sessionId: SessionId }
  | { readonly kind: 'appKey' }
  | { readonly kind: 'token'; readonly tokenId: TokenId; readonly scopes: ReadonlySet<Scope> }
  | S3KeyCredential;

/** An S3 key and how far it reaches; no limit is `undefined`. */
export type S3KeyCredential = {
  readonly kind: 's3Key';
  readonly accessKeyId: AccessKeyId;
  readonly isReadOnly: boolean;
  readonly bucketId: BucketId | undefined;
  readonly prefix: string | undefined;
};

/** An account that has proved itself by `credential`. */
export type Principal = {
  readonly accountId: AccountId;
  readonly slug: AccountSlug;
  readonly defaultBucketId: BucketId;
  readonly role: Role;
  readonly credential: Credential;
};

/** How usage rows name the credential: its kind, or the id of a token or S3 key. */
export function credentialLabel(principal: Principal): string {
  const { credential } = principal;
  switch (credential.kind) {
    case 'session':
      return 'session';
    case 'appKey':
      return 'app_key';
    case 'token':
      return credential.tokenId;
    case 's3Key':
      return credential.accessKeyId;
  }
}
