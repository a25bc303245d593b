/** What the S3 dialect stands on. */
import type { AccessKeyDeps } from '../../core/identity/s3-keys/authenticate-access-key.ts';
import type { PutDeps } from '../../core/objects/write/put-object.ts';
import type { BlobStore } from '../../core/ports/blob-store.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Metadata } from '../../core/ports/metadata/metadata.ts';
import type { Random } from '../../core/ports/random.ts';
import type { RateLimiter } from '../../core/ports/rate-limiter.ts';
import type { UsageRecorder } from '../../core/ports/usage-recorder.ts';
import type { BucketPolicy, QuotaPolicy } from '../../core/quota.ts';
import type { SigningKeyCache } from '../../kit/sigv4/signing-key-cache.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { PublicOrigin } from '../../server/listener/public-origin.ts';
import type { Shell } from '../../server/listener/shell.ts';

export type S3Deps = PutDeps &
  AccessKeyDeps &
  Shell & {
    readonly metadata: Metadata;
    readonly blobs: BlobStore;
    readonly clock: Clock;
    readonly random: Random;
    readonly limiter: RateLimiter;
    readonly usage: UsageRecorder;
    readonly metrics: Metrics;
    readonly log: Log;
    readonly signingKeys: SigningKeyCache;
    readonly settings: S3Settings;
    readonly quota: QuotaPolicy & BucketPolicy;
  };

export type S3Settings = {
  /** What clients are told; any other is accepted too unless `isRegionStrict`. */
  readonly region: string;
  readonly isRegionStrict: boolean;
  /** Whether requests are counted against a limit. */
  readonly isLimited: boolean;
  /** Where clients reach this listener, without a slash at the end. */
  readonly publicUrl: PublicOrigin;
  /** Addresses and CIDR blocks whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[];
};
