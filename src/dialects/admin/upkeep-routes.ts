/**
 * Upkeep over the socket: lines of JSON while it runs, the last one its result or its failure.
 * Whoever hangs up stops it.
 */
import { PassThrough, type Readable } from 'node:stream';
import { isServiceError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { BackupError } from '../../core/ports/store-backup.ts';
import type { UpkeepOptions, UpkeepProgress } from '../../core/ports/upkeep-progress.ts';
import type { ApiServer } from '../../server/schema/schema-kit.ts';
import type { Upkeep } from './upkeep.ts';
import { BackupRequestDocument, type FailureLine, type ProgressLine } from './upkeep-documents.ts';

/** Often enough for a bar, and for a client that takes silence for a server that hangs. */
const PROGRESS_EVERY_MS = 250;

export type UpkeepRoutesDeps = {
  readonly upkeep: Upkeep;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: { error(facts: object, sentence: string): void };
  /** Stops what is under way when the server does. */
  readonly stopping: AbortSignal;
};

export function addUpkeep(routes: ApiServer, deps: UpkeepRoutesDeps): void {
  const { upkeep } = deps;
  const type = 'application/x-ndjson';
  routes.post('/admin/v1/verify', (_request, reply) =>
    reply.type(type).send(streamOf(deps, (options) => upkeep.verify(options))),
  );
  routes.post(
    '/admin/v1/backup',
    { schema: { body: BackupRequestDocument } },
    ({ body: { directory, with_keys: withKeys } }, reply) =>
      reply
        .type(type)
        .send(streamOf(deps, (options) => upkeep.backup({ directory, withKeys }, options))),
  );
}

function streamOf(
  deps: UpkeepRoutesDeps,
  run: (options: UpkeepOptions) => Promise<object>,
): Readable {
  const lines = new PassThrough();
  const hungUp = new AbortController();
  let progress: UpkeepProgress = { step: 'rows', done: 0, total: undefined };
  let cancel = () => {};
  const write = (line: object) => {
    if (lines.writable) lines.write(`${JSON.stringify(line)}\n`);
  };
  const tick = () => {
    write(progressLine(progress));
    cancel = deps.clock.after(PROGRESS_EVERY_MS, tick);
  };
  lines.once('close', () => {
    cancel();
    hungUp.abort();
  });
  const signal = AbortSignal.any([hungUp.signal, deps.stopping]);
  const onProgress = (next: UpkeepProgress) => {
    progress = next;
  };
  tick();
  run({ signal, onProgress })
    .then(
      (document) => ({ event: 'result', document }),
      (error: unknown) => failureLine(error, deps.log),
    )
    .then((last) => {
      cancel();
      write(progressLine(progress));
      write(last);
      lines.end();
    })
    .catch((error: unknown) => lines.destroy(error instanceof Error ? error : undefined));
  return lines;
}

function progressLine({ step, done, total }: UpkeepProgress): ProgressLine {
  return { event: 'progress', step, done, total: total ?? null };
}

function failureLine(error: unknown, log: UpkeepRoutesDeps['log']): FailureLine {
  if (error instanceof BackupError) {
    const { fault: code, message, remedy: hint } = error;
    return { event: 'failed', code, message, hint };
  }
  if (isServiceError(error)) {
    return { event: 'failed', code: error.code, message: error.message, hint: null };
  }
  log.error({ err: error }, 'upkeep failed');
  const message = error instanceof Error ? error.message : String(error);
  return { event: 'failed', code: 'internal', message, hint: null };
}
