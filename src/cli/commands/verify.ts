/** `pinfold verify`: whether everything in the store is as it should be. */
import type { VerifyDocument } from '../../dialects/admin/upkeep-documents.ts';
import { type AnswerOptions, answer, columnsText } from '../answer.ts';
import { bytesText } from '../bytes-text.ts';
import { CliVerdict } from '../cli-failure.ts';
import type { CliWorld } from '../cli-world.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { withUpkeep } from '../open-administration.ts';
import { progressView, type ShownProgress } from '../progress-view.ts';

export async function verify(
  world: CliWorld,
  options: AnswerOptions & ShownProgress,
): Promise<void> {
  const view = progressView(world.terminal, options);
  const { signal } = new AbortController();
  const document = await withUpkeep(world, (upkeep) =>
    upkeep.verify({ signal, onProgress: view.update }),
  ).finally(view.end);
  answer(world.terminal, { document, text: verifyText(document) }, options);
  if (document.findings_total > 0) throw new CliVerdict(EXIT_CODES.failure);
}

/** What was checked, then what was found. */
export function verifyText({ checked, findings, findings_total: total }: VerifyDocument): string {
  const words = [
    `${checked.accounts} accounts`,
    `${checked.buckets} buckets`,
    `${checked.owners} objects`,
    `${checked.links} links`,
    `${checked.blobs} blobs (${bytesText(checked.bytes)})`,
    `${checked.segments} segments (${bytesText(checked.segment_bytes)}, of which ${bytesText(checked.dead_bytes)} dead)`,
  ];
  const lines = [`Checked ${words.join(', ')}.`];
  if (checked.unpublished > 0) {
    lines.push(`${checked.unpublished} blobs have no row yet; the sweeper takes them in an hour.`);
  }
  if (total === 0) return [...lines, 'Everything is as it should be.'].join('\n');
  const rows = findings.flatMap(({ kind, subject, detail, objects }) => [
    [kind, subject, detail],
    ...objects.map(({ bucket, key }) => ['', '', `in ${bucket}/${key}`]),
  ]);
  lines.push(`${total} faults${total > findings.length ? `, the first ${findings.length}` : ''}:`);
  return [...lines, columnsText([['KIND', 'SUBJECT', 'DETAIL'], ...rows])].join('\n');
}
