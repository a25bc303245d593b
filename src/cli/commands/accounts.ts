/** `pinfold admin accounts …`: who is there, who may, and how much. */
import { BYTES } from '../../config/forms.ts';
import { ValueRefusal } from '../../config/refusal.ts';
import type { Administration } from '../../dialects/admin/administration.ts';
import type { AccountDocument, LimitsChangeDocument } from '../../dialects/admin/documents.ts';
import { type AnswerOptions, answer, columnsText } from '../answer.ts';
import { CliRefusal } from '../cli-failure.ts';
import type { CliWorld } from '../cli-world.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withAdministration } from '../open-administration.ts';

export async function listAccounts(
  world: CliWorld,
  page: { readonly after: string | undefined; readonly limit: number },
  options: AnswerOptions,
): Promise<void> {
  const document = await withAdministration(world, (admin) => admin.listAccounts(page));
  const rows = document.accounts.map((account) => [
    account.user_id,
    account.account,
    account.username ?? account.email ?? account.wallet_public_key ?? '',
    account.role,
    account.disabled_at === null ? 'enabled' : 'disabled',
    String(account.stored_bytes),
  ]);
  const head = ['USER ID', 'ACCOUNT', 'NAME', 'ROLE', 'STATE', 'STORED BYTES'];
  answer(world.terminal, { document, text: columnsText([head, ...rows]) }, options);
  if (document.next_after !== null) {
    world.terminal.writeNote(`There may be more: --after ${document.next_after}\n`);
  }
}

export async function createAccount(
  world: CliWorld,
  username: string,
  options: AnswerOptions,
): Promise<void> {
  const document = await withAdministration(world, (admin) => admin.createAccount({ username }));
  answer(world.terminal, { document, text: document.user_app_key }, options);
  if (options.json) return;
  world.terminal.writeNote(`The app key of ${username} (${document.account}) is written above.\n`);
}

/** Does something to an account and shows it as it is then. */
export async function withAccount(
  world: CliWorld,
  work: (administration: Administration) => Promise<AccountDocument>,
  options: AnswerOptions,
): Promise<void> {
  const document = await withAdministration(world, work);
  answer(world.terminal, { document, text: accountText(document) }, options);
}

/** Texts as typed; `default` goes back to the configured default. */
export type LimitTexts = {
  readonly storage?: string;
  readonly egress?: string;
  readonly buckets?: string;
};

export async function changeLimits(
  world: CliWorld,
  input: { readonly account: string; readonly limits: LimitTexts },
  options: AnswerOptions,
): Promise<void> {
  const change = parseLimits(input.limits);
  await withAccount(world, (admin) => admin.changeLimits(input.account, change), options);
}

function parseLimits({ storage, egress, buckets }: LimitTexts): LimitsChangeDocument {
  if (storage === undefined && egress === undefined && buckets === undefined) {
    throw usage('Nothing to change.', 'Give --storage, --egress or --buckets.');
  }
  return {
    ...(storage === undefined ? {} : { storage_bytes: parseBytes('--storage', storage) }),
    ...(egress === undefined ? {} : { egress_bytes: parseBytes('--egress', egress) }),
    ...(buckets === undefined ? {} : { buckets: parseCount('--buckets', buckets) }),
  };
}

function parseBytes(option: string, text: string): number | null {
  if (text === 'default') return null;
  const bytes = bytesOf(option, text);
  if (bytes <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(bytes);
  throw usage(`${option} is too large.`, 'Write less than 9 PB.');
}

function bytesOf(option: string, text: string): bigint {
  try {
    return BYTES.parse(text);
  } catch (error) {
    if (!(error instanceof ValueRefusal)) throw error;
    throw usage(`${option} ${error.problem}.`, `${error.remedy} Or write default.`);
  }
}

function parseCount(option: string, text: string): number | null {
  if (text === 'default') return null;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usage(`${option} is not a number.`, 'Write a whole number, or default.');
}

function usage(message: string, hint: string): CliRefusal {
  return new CliRefusal(message, { code: 'usage', exitCode: EXIT_CODES.usage, hint });
}

function accountText(account: AccountDocument): string {
  const { limits } = account;
  return columnsText([
    ['User id', account.user_id],
    ['Account', account.account],
    ['Username', account.username ?? '-'],
    ['E-mail', account.email ?? '-'],
    ['Wallet', account.wallet_public_key ?? '-'],
    ['Role', account.role],
    ['Plan', account.plan],
    ['State', account.disabled_at === null ? 'enabled' : `disabled at ${account.disabled_at}`],
    ['Stored bytes', String(account.stored_bytes)],
    ['Counted bytes', String(account.counted_bytes)],
    ['Storage limit', limitText(limits.storage_bytes)],
    ['Egress limit', limitText(limits.egress_bytes)],
    ['Bucket limit', limitText(limits.buckets)],
    ['Created', account.created_at],
  ]);
}

function limitText(limit: number | null): string {
  return limit === null ? 'default' : String(limit);
}
