/** `pinfold restore DIR`: a backup into an empty data directory. */
import { resolve } from 'node:path';
import { loadConfig } from '../../config/config.ts';
import { type AnswerOptions, answer } from '../answer.ts';
import { bytesText } from '../bytes-text.ts';
import { CliVerdict } from '../cli-failure.ts';
import type { CliWorld } from '../cli-world.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { progressView, type ShownProgress } from '../progress-view.ts';
import { verifyText } from './verify.ts';

export async function restore(
  world: CliWorld,
  input: { readonly directory: string; readonly masterKeyFile: string | undefined },
  options: AnswerOptions & ShownProgress,
): Promise<void> {
  const config = loadConfig(world);
  const composition = await world.loadComposition();
  const view = progressView(world.terminal, options);
  const { signal } = new AbortController();
  const absolute = (path: string) => resolve(world.workingDirectory, path);
  const request = {
    directory: absolute(input.directory),
    masterKeyFile: input.masterKeyFile === undefined ? undefined : absolute(input.masterKeyFile),
  };
  const document = await composition
    .restore(config, request, { signal, onProgress: view.update })
    .finally(view.end);
  const text = [
    `Backup ${document.number} of ${document.taken_at} stands in ${document.directory}:`,
    `${document.blobs} blobs (${bytesText(document.blob_bytes)}); ${document.sessions_revoked} sessions were revoked.`,
    verifyText(document.verified),
  ].join('\n');
  answer(world.terminal, { document, text }, options);
  if (document.verified.findings_total > 0) throw new CliVerdict(EXIT_CODES.failure);
}
