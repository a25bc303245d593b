/** `pinfold admin tokens …`: API tokens of accounts. */
import { SCOPES, type Scope } from '../../core/principal.ts';
import type { TokenListDocument } from '../../dialects/admin/documents.ts';
import { type AnswerOptions, answer, columnsText } from '../answer.ts';
import { CliRefusal } from '../cli-failure.ts';
import type { CliWorld } from '../cli-world.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withAdministration } from '../open-administration.ts';

export async function createToken(
  world: CliWorld,
  input: {
    readonly account: string;
    readonly name: string;
    /** As typed; empty: the default scopes. */
    readonly scopes: readonly string[];
    readonly expiresInDays: number | undefined;
  },
  options: AnswerOptions,
): Promise<void> {
  const { account, name, expiresInDays } = input;
  const scopes = input.scopes.map(parseScope);
  const document = await withAdministration(world, (admin) =>
    admin.createToken(account, {
      name,
      ...(scopes.length === 0 ? {} : { scopes }),
      ...(expiresInDays === undefined ? {} : { expires_in_days: expiresInDays }),
    }),
  );
  answer(world.terminal, { document, text: document.token }, options);
  if (options.json) return;
  const end = document.expires_at === null ? 'does not expire' : `expires ${document.expires_at}`;
  world.terminal.writeNote(
    `The token ${document.name} (${document.scopes.join(' ')}) ${end}. It is shown this once.\n`,
  );
}

export async function listTokens(
  world: CliWorld,
  account: string,
  options: AnswerOptions,
): Promise<void> {
  const document = await withAdministration(world, (admin) => admin.listTokens(account));
  answer(world.terminal, { document, text: listText(document) }, options);
}

export async function revokeToken(
  world: CliWorld,
  { account, name }: { readonly account: string; readonly name: string },
  options: AnswerOptions,
): Promise<void> {
  const document = await withAdministration(world, (admin) => admin.revokeToken(account, name));
  answer(world.terminal, { document, text: `The token ${document.name} is revoked.` }, options);
}

function listText({ tokens }: TokenListDocument): string {
  const rows = tokens.map((token) => [
    token.name,
    `${token.prefix}…`,
    token.scopes.join(' '),
    token.ip_allowlist.length === 0 ? 'anywhere' : token.ip_allowlist.join(' '),
    token.created_at,
    token.last_used_at ?? '-',
    token.expires_at ?? 'never',
  ]);
  return columnsText([
    ['NAME', 'TOKEN', 'SCOPES', 'FROM', 'CREATED', 'LAST USED', 'EXPIRES'],
    ...rows,
  ]);
}

function parseScope(text: string): Scope {
  const scope = SCOPES.find((candidate) => candidate === text);
  if (scope !== undefined) return scope;
  throw new CliRefusal('There is no such scope.', {
    code: 'usage',
    exitCode: EXIT_CODES.usage,
    hint: `Scopes are ${SCOPES.join(', ')}.`,
  });
}
