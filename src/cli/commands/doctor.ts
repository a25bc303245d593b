/**
 * `pinfold doctor`: sends requests by the public addresses, as clients do, and says what whatever
 * stands before the server breaks of them.
 */
import { readFileSync } from 'node:fs';
import type { Administration } from '../../dialects/admin/administration.ts';
import type { CreatedS3KeyDocument } from '../../dialects/admin/documents.ts';
import { type AnswerOptions, answer, columnsText } from '../answer.ts';
import { CliRefusal, CliVerdict } from '../cli-failure.ts';
import type { CliWorld, Machine } from '../cli-world.ts';
import { API_CHECKS, API_DELETE_CHECK, API_REACH_CHECK } from '../doctor/api-checks.ts';
import { ARRIVAL_CHECKS } from '../doctor/arrival-checks.ts';
import { BODY_CHECKS } from '../doctor/body-checks.ts';
import { type Checked, runChecks, skipped } from '../doctor/check.ts';
import { CERTIFICATE_CHECK, CLOCK_CHECK, REACH_CHECK } from '../doctor/connection-checks.ts';
import type { Site } from '../doctor/exchange.ts';
import { S3Probe } from '../doctor/s3-probe.ts';
import { DELETE_CHECK, TRANSFER_CHECKS } from '../doctor/transfer-checks.ts';
import { trustedAuthorities } from '../doctor/trust.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withRunningServer } from '../open-administration.ts';

export type DoctorInput = {
  /** Whose bucket is written to; the first operator's unless it is named. */
  readonly account: string | undefined;
  /** Addresses in place of the configured ones. */
  readonly s3Url: string | undefined;
  readonly apiUrl: string | undefined;
  /** Authorities that clients trust besides the machine's, in PEM. */
  readonly caFile: string | undefined;
};

export async function doctor(
  world: CliWorld,
  input: DoctorInput,
  options: AnswerOptions,
): Promise<void> {
  const authorities = trustedAuthorities(
    input.caFile === undefined ? [] : [readAuthorities(input.caFile)],
  );
  const { machine } = await world.loadComposition();
  // A first signal ends the checks, and not what takes back what was made for them.
  const stop = new AbortController();
  void world.untilStopped().then(() => stop.abort());
  const { signal } = stop;
  const report = await withRunningServer(world, (admin) =>
    examine({ admin, machine, authorities, signal }, input),
  );
  answer(world.terminal, { document: documentOf(report), text: textOf(report) }, options);
  if (signal.aborted) throw new CliVerdict(EXIT_CODES.interrupted);
  const isBroken = report.checks.some(({ state }) => state === 'fails');
  if (isBroken) throw new CliVerdict(EXIT_CODES.failure);
}

type Deps = {
  readonly admin: Administration;
  readonly machine: Machine;
  readonly authorities: readonly string[];
  readonly signal: AbortSignal;
};

type Report = {
  readonly account: string;
  readonly s3Url: string;
  readonly apiUrl: string;
  readonly checks: readonly Checked[];
};

/** Bytes of chance in names, so that two doctors do not meet and nobody's objects are touched. */
const NAME_BYTES = 8;

/** What it makes, it takes back: a key and a token that reach little, and the objects it stored. */
async function examine(deps: Deps, input: DoctorInput): Promise<Report> {
  const { admin, machine } = deps;
  const account = input.account ?? (await findOperator(admin));
  const name = `doctor-${Buffer.from(machine.random.bytes(NAME_BYTES)).toString('hex')}`;
  const prefix = `pinfold-${name}/`;
  const key = await admin.createS3Key(account, { name, prefix });
  try {
    const s3Url = originOf(input.s3Url ?? key.endpoint);
    const apiUrl = originOf(input.apiUrl ?? key.api_url);
    const s3 = await examineS3(deps, { origin: s3Url, key, prefix });
    const api = await examineApi(deps, { origin: apiUrl, account, name, prefix });
    return { account, s3Url, apiUrl, checks: [...s3, ...api] };
  } finally {
    await admin.revokeS3Key(key.access_key_id);
  }
}

async function examineS3(
  deps: Deps,
  on: { readonly origin: string; readonly key: CreatedS3KeyDocument; readonly prefix: string },
): Promise<readonly Checked[]> {
  const { key, prefix } = on;
  const { site, checked } = await examineCertificate(deps, 'S3', on.origin);
  const probe = new S3Probe(site, {
    accessKeyId: key.access_key_id,
    secret: key.secret,
    region: key.region,
    bucket: key.default_bucket,
    prefix,
  });
  const look = { target: 'S3', subject: probe } as const;
  const reached = await runChecks([REACH_CHECK], look);
  const rest = [CLOCK_CHECK, ...ARRIVAL_CHECKS, ...BODY_CHECKS, ...TRANSFER_CHECKS];
  if (hasFailed(reached)) {
    return [...reached, ...checked, ...skipped(rest, 'S3', 'the gateway is not reached')];
  }
  const found = await runChecks(rest, look, deps);
  return [...reached, ...checked, ...found, ...(await runChecks([DELETE_CHECK], look))];
}

async function examineApi(
  deps: Deps,
  on: {
    readonly origin: string;
    readonly account: string;
    readonly name: string;
    readonly prefix: string;
  },
): Promise<readonly Checked[]> {
  const { account, name, prefix } = on;
  const { site, checked } = await examineCertificate(deps, 'API', on.origin);
  const reached = await runChecks([API_REACH_CHECK], { target: 'API', subject: site });
  const first = [...reached, ...checked];
  if (hasFailed(reached)) {
    return [...first, ...skipped(API_CHECKS, 'API', 'the API is not reached')];
  }
  // A token is its own proof, unlike a signature: whoever is on the way could use it.
  if (site.authorities === undefined) {
    return [
      ...first,
      ...skipped(API_CHECKS, 'API', 'no token is sent to a host nobody vouches for'),
    ];
  }
  const { token } = await deps.admin.createToken(account, {
    name,
    scopes: ['files:read', 'files:write', 'files:delete'],
    expires_in_days: 1,
  });
  try {
    const look = { target: 'API', subject: { site, token, prefix } } as const;
    const found = await runChecks(API_CHECKS, look, deps);
    return [...first, ...found, ...(await runChecks([API_DELETE_CHECK], look))];
  } finally {
    await deps.admin.revokeToken(account, name);
  }
}

/** What is behind a certificate that nobody trusts is looked at all the same. */
async function examineCertificate(deps: Deps, target: 'S3' | 'API', origin: string) {
  const { clock } = deps.machine;
  const trusted: Site = { origin, authorities: deps.authorities, clock };
  const checked = await runChecks([CERTIFICATE_CHECK], { target, subject: trusted });
  const site: Site = hasFailed(checked) ? { ...trusted, authorities: undefined } : trusted;
  return { site, checked };
}

function hasFailed(checked: readonly Checked[]): boolean {
  return checked.some(({ state }) => state === 'fails');
}

const OPERATOR_PAGE = 1000;

async function findOperator(admin: Administration): Promise<string> {
  let after: string | undefined;
  do {
    const page = await admin.listAccounts({ after, limit: OPERATOR_PAGE });
    const operator = page.accounts.find(
      ({ role, disabled_at: disabledAt }) => role === 'operator' && disabledAt === null,
    );
    if (operator !== undefined) return operator.user_id;
    after = page.next_after ?? undefined;
  } while (after !== undefined);
  throw new CliRefusal('No account is an operator, and none was named.', {
    code: 'no_operator',
    exitCode: EXIT_CODES.notFound,
    hint: 'Name one whose bucket may be written to with --account, or run "pinfold admin operator add <account>".',
  });
}

function originOf(text: string): string {
  const url = URL.parse(text);
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/';
  if (isOrigin) return url.origin;
  throw new CliRefusal(`${text} is not an address of a host.`, {
    code: 'usage',
    exitCode: EXIT_CODES.usage,
    hint: 'Write it like https://s3.example.org, without a path.',
  });
}

/** Of a file without certificates Node would say nothing, and trust nobody more. */
function readAuthorities(file: string): string {
  const hint = 'Name a file of certificates in PEM with --ca-file.';
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const { notFound: exitCode } = EXIT_CODES;
    throw new CliRefusal(`${file} cannot be read.`, {
      code: 'file_not_found',
      exitCode,
      hint,
      cause,
    });
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  const { usage: exitCode } = EXIT_CODES;
  throw new CliRefusal(`${file} holds no certificate.`, { code: 'usage', exitCode, hint });
}

function documentOf({ account, s3Url, apiUrl, checks }: Report) {
  const count = (state: string) => checks.filter((one) => one.state === state).length;
  return {
    account,
    s3_url: s3Url,
    api_url: apiUrl,
    checks: checks.map(({ target, check, state, says, remedy = null }) => ({
      target: target.toLowerCase(),
      check,
      state,
      says,
      remedy,
    })),
    ok: count('ok'),
    warns: count('warns'),
    fails: count('fails'),
    skipped: count('skipped'),
  };
}

function textOf(report: Report): string {
  const rows = report.checks.map(({ target, check, state, says, remedy }) => [
    state,
    target,
    check,
    remedy === undefined ? says : `${says}. ${remedy}`,
  ]);
  const { ok, warns, fails, skipped: left } = documentOf(report);
  const counts = [`${ok} ok`, `${warns} warn`, `${fails} fail`, `${left} skipped`];
  return `${columnsText(rows)}\n\n${counts.join(', ')}.`;
}
