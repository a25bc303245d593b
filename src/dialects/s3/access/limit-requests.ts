import type { IncomingMessage } from 'node:http';
import { clientAddress } from '../../../server/client-address.ts';
import type { S3Deps } from '../deps.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import type { Caller } from './caller.ts';

/** Takes a point of the listener's limit, which is off unless configured. Throws `SlowDown`. */
export async function limitRequests(
  { limiter, settings }: S3Deps,
  { principal }: Caller,
  request: IncomingMessage,
): Promise<void> {
  if (!settings.isLimited) return;
  const key =
    principal?.credential.kind === 's3Key'
      ? principal.credential.accessKeyId
      : clientAddress(request, settings.trustedProxies);
  const state = await limiter.consume('s3', key);
  if (state !== undefined && !state.isAllowed) throw new S3Refusal('SlowDown');
}
