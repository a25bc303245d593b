/**
 * A challenge is kept only once it is spent (decision 0017); sessions say where they were started.
 * What was open when this ran is asked for again.
 */
import type { Migration } from './migration.ts';

export const spentNonces: Migration = {
  version: 4,
  name: 'spent-nonces',
  statements: ({ text, int8, keyed }) => [
    'drop table sign_in_nonces',
    `create table spent_nonces (
      nonce ${text} not null primary key,
      expires_at ${int8} not null
    ) ${keyed}`,
    'create index spent_nonces_by_expiry on spent_nonces (expires_at)',
    `alter table sessions add column address ${text}`,
    `alter table sessions add column agent ${text}`,
  ],
};
