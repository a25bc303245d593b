/** Whether the public address leads to this server at all, and whose clock is wrong. */
import { type Check, type Finding, fails, ok, warns } from './check.ts';
import type { Outcome, Site } from './exchange.ts';
import { codeOf, elementOf, isOurs, type S3Probe, sayOutcome } from './s3-probe.ts';
import { checkCertificate } from './trust.ts';

/** The gateway takes no more (contracts/s3.md, Authentication). */
const SKEW_MS_MAX = 15 * 60_000;
/** Clocks that are kept do not stray so far. */
const SKEW_MS_FAIR = 60_000;

export const CERTIFICATE_CHECK: Check<Site> = { name: 'certificate', look: checkCertificate };

export const CLOCK_CHECK: Check<S3Probe> = { name: 'clock', look: lookAtClock };

/** Without it nothing else can be looked at. */
export const REACH_CHECK: Check<S3Probe> = { name: 'reach', look: lookAtReach };

async function lookAtReach(probe: S3Probe): Promise<Finding> {
  const outcome = await probe.send({ method: 'GET', rawQuery: 'location=' });
  const { origin } = probe.site;
  if (outcome.kind !== 'answered') {
    const remedy = `Look at the name, the address and the firewall of ${origin}.`;
    return fails(`${origin} is not reached: ${sayOutcome(outcome)}`, remedy);
  }
  if (!isOurs(outcome)) return elsewhere(outcome, origin);
  if (codeOf(outcome) === 'InvalidAccessKeyId') {
    return fails(
      `${origin} leads to another Pinfold: it does not know the key that this one has just made`,
      'Let the host name lead to this server, or run the command beside the other.',
    );
  }
  return ok(`${origin} leads to this server`);
}

function elsewhere(outcome: Extract<Outcome, { kind: 'answered' }>, origin: string): Finding {
  const { location } = outcome.headers;
  if (outcome.status >= 300 && outcome.status < 400 && location !== undefined) {
    return fails(
      `${origin} redirects to ${location}, which signed requests do not follow`,
      'Set PINFOLD_S3_PUBLIC_URL to the address that answers itself.',
    );
  }
  return fails(
    sayOutcome(outcome),
    'Let the proxy pass this whole host name on to the S3 listener.',
  );
}

async function lookAtClock(probe: S3Probe): Promise<Finding> {
  const askedMs = probe.site.clock.now();
  const outcome = await probe.send({ method: 'GET', rawQuery: 'location=' });
  if (outcome.kind !== 'answered') return fails(sayOutcome(outcome), 'Try again.');
  const remedy = 'Let NTP keep the clocks of both machines.';
  if (isOurs(outcome) && codeOf(outcome) === 'RequestTimeTooSkewed') {
    const serverMs = Date.parse(elementOf(outcome.bytes, 'ServerTime') ?? '');
    const says = `the clock of the server is off by ${secondsText(serverMs - askedMs)}`;
    if (!Number.isNaN(serverMs)) probe.followClock(serverMs);
    return fails(`${says}: signed requests are refused`, remedy);
  }
  const date = Date.parse(outcome.headers.date ?? '');
  if (Number.isNaN(date)) return ok('within what signatures allow');
  const aheadMs = date - askedMs;
  if (Math.abs(aheadMs) < SKEW_MS_FAIR) return ok('both agree');
  const says = `the clock on the other side is off by ${secondsText(aheadMs)}`;
  return Math.abs(aheadMs) > SKEW_MS_MAX ? fails(says, remedy) : warns(says, remedy);
}

function secondsText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return `${seconds > 0 ? '+' : ''}${seconds} s`;
}
