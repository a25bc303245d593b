import type { IncomingMessage } from 'node:http';
import { limitKey } from '../../../core/ids.ts';
import type { S3Deps } from '../deps.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import type { Caller } from './caller.ts';

/** Takes a point of the listener's limit, which is off unless configured. Throws `SlowDown`. */
export async function limitRequests(
  { limiter, settings, clients }: S3Deps,
  { principal }: Caller,
  request: IncomingMessage,
): Promise<void> {
  if (!settings.isLimited) return;
  const key =
    principal?.credential.kind === 's3Key'
      ? limitKey({ name: principal.credential.accessKeyId })
      : limitKey({ address: clients.of(request) });
  const state = await limiter.consume('s3', key);
  if (state !== undefined && !state.isAllowed) throw new S3Refusal('SlowDown');
}
