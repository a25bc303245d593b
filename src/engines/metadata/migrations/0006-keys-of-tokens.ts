/** An S3 key that a token made ends with the token. */
import type { Migration } from './migration.ts';

export const keysOfTokens: Migration = {
  version: 6,
  name: 'keys-of-tokens',
  statements: ({ text, int8 }) => [
    `alter table s3_keys add column token_id ${text}`,
    `alter table s3_keys add column expires_at ${int8}`,
    'create index s3_keys_by_token on s3_keys (token_id) where token_id is not null',
  ],
};
