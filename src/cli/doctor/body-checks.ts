/** What a proxy does to bodies before they reach the gateway; none of these checks stores one. */
import { type Check, type Finding, fails, ok, warns } from './check.ts';
import type { Outcome } from './exchange.ts';
import { isOurs, type S3Probe, sayOutcome } from './s3-probe.ts';

const MIB = 1024 * 1024;
/** The largest body of one request (contracts/s3.md, PutObject). */
const LENGTH_MAX = 5 * 1024 * MIB;
/** Below it some clients' parts do not fit: restic and rclone send up to 200 MiB at once. */
const LENGTH_FAIR = 200 * MIB;
/** Limits that proxies and networks have by default, the largest first. */
const LENGTHS: readonly number[] = [
  LENGTH_MAX,
  1024 * MIB,
  LENGTH_FAIR,
  95 * MIB,
  64 * MIB,
  16 * MIB,
  8 * MIB,
  4 * MIB,
  MIB,
];

export const BODY_CHECKS: readonly Check<S3Probe>[] = [
  { name: 'body size', look: lookAtSize },
  { name: '100-continue', look: lookAtContinue },
  { name: 'body buffering', look: lookAtBuffering },
];

const NO_LIMIT = 'Let the proxy take bodies of any size. nginx: client_max_body_size 0.';

async function lookAtSize(probe: S3Probe): Promise<Finding> {
  return await checkBodySize((length) => announce(probe, length));
}

/** Announces ever smaller bodies until one `passes`: is not refused on the way. */
export async function checkBodySize(
  announceLength: (length: number) => Promise<{ readonly passes: boolean; readonly says: string }>,
): Promise<Finding> {
  let says = '';
  for (const length of LENGTHS) {
    const seen = await announceLength(length);
    if (seen.passes && length === LENGTH_MAX) return ok('5 GiB may be sent at once');
    if (!seen.passes) {
      says = seen.says;
      continue;
    }
    const words = `no more than about ${length / MIB} MiB may be sent at once: ${says}`;
    if (length < LENGTH_FAIR) return fails(words, NO_LIMIT);
    return warns(words, `${NO_LIMIT} Or have clients send smaller parts.`);
  }
  return fails(`not even 1 MiB may be sent at once: ${says}`, NO_LIMIT);
}

/** A body that is announced only: wrongly signed, so that the gateway would refuse it anyway. */
async function announce(probe: S3Probe, length: number) {
  const outcome = await probe.sendSpoiled({
    method: 'PUT',
    rawKey: probe.keyOf('announced'),
    unsigned: ['Content-Length', `${length}`, 'Expect', '100-continue'],
    payloadHash: 'UNSIGNED-PAYLOAD',
    how: 'announce',
  });
  return { passes: isPassed(outcome), says: sayOutcome(outcome) };
}

function isPassed(outcome: Outcome): boolean {
  return outcome.kind === 'continued' || (outcome.kind === 'answered' && isOurs(outcome));
}

async function lookAtContinue(probe: S3Probe): Promise<Finding> {
  const outcome = await probe.sendSpoiled({
    method: 'PUT',
    rawKey: probe.keyOf('announced'),
    unsigned: ['Content-Length', '1048576', 'Expect', '100-continue'],
    payloadHash: 'UNSIGNED-PAYLOAD',
    how: 'announce',
  });
  const remedy = 'Let the proxy answer Expect: 100-continue itself, or pass it on.';
  switch (outcome.kind) {
    case 'broken':
      return fails(`who waits for 100 Continue gets no answer: ${outcome.says}`, remedy);
    case 'continued':
      return ok('the proxy asks for the body by itself, also of requests that are then refused');
    case 'answered':
      if (isOurs(outcome)) return ok('a request is refused before its body is sent');
      return fails(sayOutcome(outcome), remedy);
  }
}

/** A refusal that comes before the last byte was sent has not waited for the whole body. */
async function lookAtBuffering(probe: S3Probe): Promise<Finding> {
  const outcome = await probe.sendSpoiled({
    method: 'PUT',
    rawKey: probe.keyOf('held'),
    body: Buffer.alloc(64 * 1024),
    payloadHash: 'UNSIGNED-PAYLOAD',
    how: 'hold',
  });
  const remedy =
    'Let the proxy pass bodies on as they come. nginx: proxy_request_buffering off with proxy_http_version 1.1.';
  if (outcome.kind !== 'answered' || !isOurs(outcome)) return fails(sayOutcome(outcome), remedy);
  if (outcome.isEarly) return ok('bodies are passed on as they come');
  return warns(
    'whole bodies are gathered before they are passed on, which takes time and the disk of the proxy',
    remedy,
  );
}
