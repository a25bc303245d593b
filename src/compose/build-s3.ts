/** The S3 listener over an open store. */
import type { Server } from 'node:http';
import type { Config } from '../config/config.ts';
import { AccessKeyMemory } from '../core/identity/s3-keys/access-key-memory.ts';
import type { FaultPoints } from '../core/ports/fault-points.ts';
import { createS3Server, type S3ServerOptions } from '../dialects/s3/s3-server.ts';
import { SigningKeyCache } from '../kit/sigv4/signing-key-cache.ts';
import type { TlsContext } from '../kit/tls-pair.ts';
import type { PublicOrigin } from '../server/listener/public-origin.ts';
import type { Shell } from '../server/listener/shell.ts';
import type { Store } from './open-store.ts';

/** Each is for one key, day and region; they take about a KiB. */
const SIGNING_KEYS_MAX = 10_000;

export type S3Options = {
  readonly config: Config;
  readonly faults: FaultPoints;
  /** Where clients reach the listener; known for certain once it listens. */
  readonly publicUrl: PublicOrigin;
  /** `undefined`: plain HTTP. */
  readonly tls: TlsContext | undefined;
  /** For tests of clients that stall. */
  readonly timeouts?: S3ServerOptions['timeouts'];
};

/** Builds the listener; it does not listen yet. */
export function buildS3(store: Store & Shell, options: S3Options): Server {
  const { config, faults, publicUrl, tls, timeouts } = options;
  return createS3Server(
    {
      ...store,
      faults,
      quota: config.quota,
      capacity: store.storedBytes,
      accessKeys: new AccessKeyMemory(),
      signingKeys: new SigningKeyCache({ keysMax: SIGNING_KEYS_MAX }),
      settings: {
        region: config.region,
        isRegionStrict: config.s3.isRegionStrict,
        isLimited: config.rateLimits.s3PerSecond !== undefined,
        publicUrl,
        trustedProxies: config.trustedProxies,
      },
    },
    {
      tls,
      ...(timeouts === undefined ? {} : { timeouts }),
    },
  );
}
