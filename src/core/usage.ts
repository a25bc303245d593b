/** Usage: what happened, in bytes and requests, summed per hour, to be billed and shown. */
import type { AccountId, BucketId, LinkHash, TimeMs } from './ids.ts';

export type Meter = 'ingress' | 'egress';
export type UsageSource = 's3' | 'files' | 'gateway' | 'link' | 'url';

/** One sum over an hour; the engine appends it and never changes it. */
export type UsageDelta = {
  readonly accountId: AccountId;
  /** Start of the hour, UTC. */
  readonly hour: TimeMs;
  readonly meter: Meter;
  readonly source: UsageSource;
  readonly bucketId: BucketId;
  /** Which credential: `session`, `app_key`, a token's or S3 key's id, or empty for none. */
  readonly credential: string;
  readonly link: LinkHash | undefined;
  readonly bytes: bigint;
  readonly requests: number;
};

const HOUR_MS = 3_600_000;

/** Start of the hour that holds `at`, UTC. */
export function hourOf(at: TimeMs): TimeMs {
  return (at - (at % HOUR_MS)) as TimeMs;
}
