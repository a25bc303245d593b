/** What the settings of the S3 gateway stand on. */

import type { S3Site } from '../../core/identity/s3-keys/export-s3-key.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { AccessReads } from '../../core/ports/metadata/access.ts';
import type { AccountReads } from '../../core/ports/metadata/accounts.ts';
import type { BucketReads } from '../../core/ports/metadata/buckets.ts';
import type { Transactions } from '../../core/ports/metadata/metadata.ts';
import type { Random } from '../../core/ports/random.ts';
import type { BucketPolicy } from '../../core/quota.ts';
import type { Keyring } from '../../kit/keyring.ts';
import type { Asked } from '../../server/listener/public-origin.ts';

export type S3SettingsDeps = {
  readonly metadata: Transactions & AccessReads & AccountReads & BucketReads;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly quota: BucketPolicy;
  /** Known for certain once both listen. */
  /** As who asks is told, or in general. */
  readonly s3Site: (asked?: Asked) => S3Site;
};
