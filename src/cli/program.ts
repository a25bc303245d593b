/**
 * The tree of commands: names, options and help. What a command does is in a file of its own,
 * loaded when it runs, so that `pinfold --help` opens no store.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { S3_KEY_FORMATS, type S3KeyFormat } from '../core/identity/s3-keys/export-s3-key.ts';
import { LIST_LIMIT_MAX } from '../core/limits.ts';
import type { AnswerOptions } from './answer.ts';
import type { CliWorld } from './cli-world.ts';
import type { LimitTexts } from './commands/accounts.ts';

/** What the builders of one part of the tree need. */
type Part = { readonly world: CliWorld; readonly answerOptions: () => AnswerOptions };

const EXIT_CODE_HELP = `
Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 forbidden, 5 unavailable, 6 conflict,
7 over quota, 130 interrupted.`;

/** `process.argv` without Node and the file is parsed by `parseAsync(argv, { from: 'user' })`. */
export function buildProgram(world: CliWorld): Command {
  const { terminal } = world;
  const program = new Command('pinfold')
    .description('Self-hosted storage: store once, reach it by HTTP, S3 and IPFS.')
    .version(packageJson.version, '-V, --version', 'print the version')
    .option('--json', 'answer with one JSON document, failures too')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: terminal.writeResult,
      writeErr: terminal.writeNote,
      // Failures are said once, by the runner.
      outputError: () => undefined,
    })
    .addHelpText('after', EXIT_CODE_HELP);
  const part: Part = {
    world,
    answerOptions: () => ({ json: program.opts<{ json?: boolean }>().json === true }),
  };
  addServe(program, part);
  addConfig(program, part);
  addOpenApi(program, part);
  addUpkeep(program, part);
  addDoctor(program, part);
  addKeys(program, part);
  addAdmin(program, part);
  return program;
}

function addServe(program: Command, { world }: Part): void {
  program
    .command('serve')
    .description('run the server until it is told to stop')
    .action(async () => {
      const { serve } = await import('./commands/serve.ts');
      await serve(world);
    });
}

function addConfig(program: Command, { world, answerOptions }: Part): void {
  program
    .command('config')
    .description('print every setting, its value and where that comes from')
    .action(async () => {
      const { showConfig } = await import('./commands/config.ts');
      await showConfig(world, answerOptions());
    });
}

function addOpenApi(program: Command, { world, answerOptions }: Part): void {
  program
    .command('openapi')
    .description('print the OpenAPI document of the API, as YAML or with --json')
    .addOption(
      new Option('--spec <version>', 'of the OpenAPI specification')
        .choices(['3.0', '3.1'])
        .default('3.1'),
    )
    .action(async ({ spec }: { spec: '3.0' | '3.1' }) => {
      const { printOpenApi } = await import('./commands/openapi.ts');
      await printOpenApi(world, { spec }, answerOptions());
    });
}

type ShownOptions = { readonly progress?: boolean; readonly quiet?: boolean };

/** What takes long, and says how far it is. */
function addUpkeep(program: Command, { world, answerOptions }: Part): void {
  const withProgress = (command: Command) =>
    command
      .option('--progress', 'draw a bar even where nobody seems to watch')
      .option('--no-progress', 'draw no bar')
      .option('--quiet', 'write nothing but the answer and failures');
  withProgress(program.command('verify'))
    .description('check every byte, count and reference of the store; ends with 1 if one is wrong')
    .action(async (shown: ShownOptions) => {
      const { verify } = await import('./commands/verify.ts');
      await verify(world, { ...shown, ...answerOptions() });
    });
  withProgress(program.command('backup'))
    .description('make a directory hold the store as it is now; the server may run')
    .argument('<directory>')
    .option('--with-keys', 'put the master keys into the backup too: whoever reads it reads all')
    .action(async (directory: string, shown: ShownOptions & { withKeys?: boolean }) => {
      const { backup } = await import('./commands/backup.ts');
      const { withKeys = false } = shown;
      await backup(world, { directory, withKeys }, { ...shown, ...answerOptions() });
    });
  withProgress(program.command('restore'))
    .description('restore a backup into an empty data directory, and verify it')
    .argument('<directory>')
    .option('--master-key-file <file>', 'your copy of the master key file')
    .action(async (directory: string, shown: ShownOptions & { masterKeyFile?: string }) => {
      const { restore } = await import('./commands/restore.ts');
      const { masterKeyFile } = shown;
      await restore(world, { directory, masterKeyFile }, { ...shown, ...answerOptions() });
    });
}

function addDoctor(program: Command, { world, answerOptions }: Part): void {
  type Options = { account?: string; s3Url?: string; apiUrl?: string; caFile?: string };
  program
    .command('doctor')
    .description(
      'send requests by the public addresses and say what a proxy breaks; ends with 1 if something',
    )
    .option('--account <account>', 'whose bucket is written to; that of an operator if not given')
    .option('--s3-url <url>', 'of the S3 gateway, in place of PINFOLD_S3_PUBLIC_URL')
    .option('--api-url <url>', 'of the API, in place of PINFOLD_PUBLIC_URL')
    .option('--ca-file <file>', 'authorities that your clients trust besides the public ones')
    .action(async ({ account, s3Url, apiUrl, caFile }: Options) => {
      const { doctor } = await import('./commands/doctor.ts');
      await doctor(world, { account, s3Url, apiUrl, caFile }, answerOptions());
    });
}

function addKeys(program: Command, { world, answerOptions }: Part): void {
  type Limits = { name?: string; readOnly?: boolean; bucket?: string; prefix?: string };
  type Create = Limits & { account: string; format: S3KeyFormat };
  const keys = program.command('keys').description('S3 keys of accounts');
  keys
    .command('create')
    .description('make an S3 key and print it as a file that a tool reads, this once')
    .requiredOption('--account <account>', 'whose it is')
    .addOption(
      new Option('--format <format>', 'what reads the file')
        .choices([...S3_KEY_FORMATS])
        .default('env'),
    )
    .option('--name <name>', 'for people')
    .option('--read-only', 'the key changes nothing')
    .option('--bucket <bucket>', 'the only bucket that it reaches')
    .option(
      '--prefix <prefix>',
      'what keys that it reaches begin with; in the default bucket if alone',
    )
    .action(async ({ account, format, ...limits }: Create) => {
      const { createKey } = await import('./commands/keys.ts');
      await createKey(world, { account, format, limits }, answerOptions());
    });
  keys
    .command('list')
    .description('print the keys of an account, without their secrets')
    .requiredOption('--account <account>', 'whose they are')
    .action(async ({ account }: { account: string }) => {
      const { listKeys } = await import('./commands/keys.ts');
      await listKeys(world, account, answerOptions());
    });
  keys
    .command('revoke')
    .description('revoke a key; its next request is refused')
    .argument('<access-key-id>')
    .action(async (accessKeyId: string) => {
      const { revokeKey } = await import('./commands/keys.ts');
      await revokeKey(world, accessKeyId, answerOptions());
    });
}

function addAdmin(program: Command, part: Part): void {
  const admin = program
    .command('admin')
    .description('operate accounts, by the running server or on the store itself')
    .addHelpText(
      'after',
      '\n<account> is a user id, slug, e-mail address, username or wallet.\n\nExamples:\n' +
        '  pinfold admin operator add ann\n' +
        '  pinfold admin accounts limits ann --storage 50GB --egress default\n' +
        '  pinfold admin tokens create ann --name backup --scope files:read --expires-in-days 30',
    );
  addAccounts(admin.command('accounts').description('list, show and change accounts'), part);
  addOperator(admin.command('operator').description('who may operate accounts over the API'), part);
  addTokens(admin.command('tokens').description('API tokens of accounts'), part);
  admin
    .command('audit')
    .description('print who changed whose access, the newest first')
    .argument('[account]', 'only of this account')
    .option('--limit <count>', 'at most so many', parseLimit, 100)
    .action(async (account: string | undefined, { limit }: { limit: number }) => {
      const { showAudit } = await import('./commands/audit.ts');
      await showAudit(part.world, { account, limit }, part.answerOptions());
    });
}

function addAccounts(accounts: Command, part: Part): void {
  const { world, answerOptions } = part;
  accounts
    .command('list')
    .description('print accounts in order of user id')
    .option('--limit <count>', 'at most so many', parseLimit, LIST_LIMIT_MAX)
    .option('--after <user-id>', 'only those after this one')
    .action(async ({ limit, after }: { limit: number; after?: string }) => {
      const { listAccounts } = await import('./commands/accounts.ts');
      await listAccounts(world, { limit, after }, answerOptions());
    });
  accounts
    .command('create')
    .description('make a username account, whatever the sign-up policy, and print its app key')
    .argument('<username>')
    .action(async (username: string) => {
      const { createAccount } = await import('./commands/accounts.ts');
      await createAccount(world, username, answerOptions());
    });
  addAccountCommand(accounts, part, {
    name: 'show',
    method: 'getAccount',
    does: 'print its limits, what it stores and its state',
  });
  addAccountCommand(accounts, part, {
    name: 'disable',
    method: 'disableAccount',
    does: 'refuse everywhere, its public links included',
  });
  addAccountCommand(accounts, part, {
    name: 'enable',
    method: 'enableAccount',
    does: 'let in again',
  });
  addAccountCommand(accounts, part, {
    name: 'end-sessions',
    method: 'endSessions',
    does: 'sign out everywhere; keys and tokens stay',
  });
  accounts
    .command('limits')
    .description('set what an account may use; "default" goes back to the configured quota')
    .argument('<account>')
    .option('--storage <bytes>', 'stored bytes, such as 50GB')
    .option('--egress <bytes>', 'bytes sent in a month')
    .option('--buckets <count>', 'buckets')
    .action(async (account: string, limits: LimitTexts) => {
      const { changeLimits } = await import('./commands/accounts.ts');
      await changeLimits(world, { account, limits }, answerOptions());
    });
}

function addOperator(operator: Command, part: Part): void {
  addAccountCommand(operator, part, {
    name: 'add',
    method: 'addOperator',
    does: 'make an operator',
  });
  addAccountCommand(operator, part, {
    name: 'remove',
    method: 'removeOperator',
    does: 'make a plain user again',
  });
}

function addTokens(tokens: Command, { world, answerOptions }: Part): void {
  type Options = { name: string; scope: readonly string[]; expiresInDays?: number };
  tokens
    .command('create')
    .description('make an API token and print it, this once')
    .argument('<account>')
    .requiredOption('--name <name>', 'by which it is listed and revoked')
    .option('--scope <scope...>', 'what it may do; files:read and files:write if none is given', [])
    .option('--expires-in-days <days>', 'after which it ends; never if not given', parseDays)
    .action(async (account: string, { name, scope: scopes, expiresInDays }: Options) => {
      const { createToken } = await import('./commands/tokens.ts');
      await createToken(world, { account, name, scopes, expiresInDays }, answerOptions());
    });
  tokens
    .command('list')
    .description('print the tokens of an account, of each what it begins with')
    .argument('<account>')
    .action(async (account: string) => {
      const { listTokens } = await import('./commands/tokens.ts');
      await listTokens(world, account, answerOptions());
    });
  tokens
    .command('revoke')
    .description('revoke a token; its next request is refused')
    .argument('<account>')
    .requiredOption('--name <name>', 'of the token')
    .action(async (account: string, { name }: { name: string }) => {
      const { revokeToken } = await import('./commands/tokens.ts');
      await revokeToken(world, { account, name }, answerOptions());
    });
}

/** A command that does one thing to one account and shows it. */
function addAccountCommand(
  parent: Command,
  { world, answerOptions }: Part,
  command: {
    readonly name: string;
    readonly method:
      | 'getAccount'
      | 'disableAccount'
      | 'enableAccount'
      | 'endSessions'
      | 'addOperator'
      | 'removeOperator';
    readonly does: string;
  },
): void {
  parent
    .command(command.name)
    .description(command.does)
    .argument('<account>')
    .action(async (account: string) => {
      const { withAccount } = await import('./commands/accounts.ts');
      await withAccount(world, (admin) => admin[command.method](account), answerOptions());
    });
}

function parseLimit(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= LIST_LIMIT_MAX) return limit;
  throw new InvalidArgumentError(`Write a whole number from 1 to ${LIST_LIMIT_MAX}.`);
}

function parseDays(text: string): number {
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= 36_500) return days;
  throw new InvalidArgumentError('Write a whole number of days from 1 to 36500.');
}
