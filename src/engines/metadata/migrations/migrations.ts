/** All migrations of the metadata schema, in order; applied ones are never changed. */
import { firstSchema } from './0001-first.ts';
import { checksumColumns } from './0002-checksums.ts';
import { unhashedIndex } from './0003-unhashed.ts';
import { spentNonces } from './0004-spent-nonces.ts';
import { secondChecksums } from './0005-second-checksums.ts';
import { keysOfTokens } from './0006-keys-of-tokens.ts';
import { countedBytes } from './0007-counted-bytes.ts';
import { resultsByAccount } from './0008-results-by-account.ts';
import type { Migration } from './migration.ts';

export const MIGRATIONS: readonly Migration[] = [
  firstSchema,
  checksumColumns,
  unhashedIndex,
  spentNonces,
  secondChecksums,
  keysOfTokens,
  countedBytes,
  resultsByAccount,
];
