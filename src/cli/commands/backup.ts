/** `pinfold backup DIR`: makes a directory hold the store as it is now. */
import { resolve } from 'node:path';
import { type AnswerOptions, answer } from '../answer.ts';
import { bytesText } from '../bytes-text.ts';
import { CliVerdict } from '../cli-failure.ts';
import type { CliWorld } from '../cli-world.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withUpkeep } from '../open-administration.ts';
import { progressView, type ShownProgress } from '../progress-view.ts';

export async function backup(
  world: CliWorld,
  input: { readonly directory: string; readonly withKeys: boolean },
  options: AnswerOptions & ShownProgress,
): Promise<void> {
  const { terminal } = world;
  const view = progressView(terminal, options);
  const { signal } = new AbortController();
  // The server may stand in another directory than this command.
  const request = { ...input, directory: resolve(world.workingDirectory, input.directory) };
  const document = await withUpkeep(world, (upkeep) =>
    upkeep.backup(request, { signal, onProgress: view.update }),
  ).finally(view.end);
  const { directory, number, losses } = document;
  const text = [
    `Backup ${number} in ${directory} holds ${document.blobs} blobs (${bytesText(document.blob_bytes)}) as of ${document.taken_at}.`,
    `${bytesText(document.copied_bytes)} were copied, ${bytesText(document.reused_bytes)} stood there already.`,
    ...losses.map(({ blob_id: blobId, reason }) => `Blob ${blobId} is ${reason} in the store.`),
  ].join('\n');
  answer(terminal, { document, text }, options);
  if (!input.withKeys && options.quiet !== true && !options.json) {
    terminal.writeNote('The master keys are not in it: keep a copy of their file elsewhere.\n');
  }
  if (losses.length > 0) throw new CliVerdict(EXIT_CODES.failure);
}
