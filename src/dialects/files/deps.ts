/** What the Files API stands on. */
import type { OpenLinkDeps } from '../../core/files/open-link.ts';
import type { PricePolicy } from '../../core/files/tier-pricing.ts';
import type { UploadDeps } from '../../core/files/upload-file.ts';
import type { BlobStore } from '../../core/ports/blob-store.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Metadata } from '../../core/ports/metadata/metadata.ts';
import type { PasswordHasher } from '../../core/ports/password-hasher.ts';
import type { RateLimiter } from '../../core/ports/rate-limiter.ts';
import type { UsageRecorder } from '../../core/ports/usage-recorder.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { PublicOrigin } from '../../server/listener/public-origin.ts';
import type { Shell } from '../../server/listener/shell.ts';

export type FilesDeps = UploadDeps &
  OpenLinkDeps &
  Pick<Shell, 'watch' | 'memory' | 'occasions'> & {
    readonly metadata: Metadata;
    readonly blobs: BlobStore;
    readonly clock: Clock;
    readonly passwords: PasswordHasher;
    readonly limiter: RateLimiter;
    readonly usage: UsageRecorder;
    readonly metrics: Metrics;
    readonly log: Log;
    readonly prices: PricePolicy;
    /** Where clients reach this API, without a slash at the end. */
    readonly publicUrl: PublicOrigin;
  };
