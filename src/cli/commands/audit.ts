/** `pinfold admin audit`: who changed whose access, the newest first. */
import { type AnswerOptions, answer, columnsText } from '../answer.ts';
import type { CliWorld } from '../cli-world.ts';
import { withAdministration } from '../open-administration.ts';

export async function showAudit(
  world: CliWorld,
  page: { readonly account: string | undefined; readonly limit: number },
  options: AnswerOptions,
): Promise<void> {
  const document = await withAdministration(world, (admin) => admin.listAudit(page));
  const rows = document.entries.map((entry) => [
    entry.at,
    entry.user_id,
    entry.actor === entry.user_id ? 'owner' : entry.actor,
    entry.action,
    entry.subject ?? '',
  ]);
  const text = columnsText([['TIME', 'USER ID', 'BY', 'ACTION', 'SUBJECT'], ...rows]);
  answer(world.terminal, { document, text }, options);
}
