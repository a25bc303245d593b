/** `pinfold admin tokens …`: API tokens made on behalf of an account. */
import { SCOPES, type Scope } from '../../core/principal.ts';
import { type AnswerOptions, answer } from '../answer.ts';
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

function parseScope(text: string): Scope {
  const scope = SCOPES.find((candidate) => candidate === text);
  if (scope !== undefined) return scope;
  throw new CliRefusal('There is no such scope.', {
    code: 'usage',
    exitCode: EXIT_CODES.usage,
    hint: `Scopes are ${SCOPES.join(', ')}.`,
  });
}
