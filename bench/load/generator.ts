/**
 * The load generator: a process of its own, so that its cost is not the server's and can be told
 * from the driver's. It takes a plan, opens and readies everything, says so, and waits for the
 * start.
 */
import { filesSource } from '../protocols/files.ts';
import type { RequestSource } from '../protocols/protocol.ts';
import { s3Source } from '../protocols/s3.ts';
import { staticSource } from '../protocols/static.ts';
import { LoadRun } from './load-run.ts';
import type { FromGenerator, Plan, ToGenerator } from './plan.ts';

let prepared: LoadRun | undefined;

process.on('message', (message: ToGenerator) => {
  obey(message).catch((error: unknown) => {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});
// The driver went away: there is nobody to answer to.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; the driver ends this process in its own order.
process.on('SIGINT', () => undefined);

async function obey(message: ToGenerator): Promise<void> {
  switch (message.kind) {
    case 'prepare': {
      const { plan } = message;
      prepared = await LoadRun.open(plan, sourceOf(plan));
      tell({ kind: 'ready' });
      return;
    }
    case 'go': {
      if (prepared === undefined) throw new Error('The generator has no plan.');
      const run = prepared;
      prepared = undefined;
      try {
        tell({ kind: 'done', result: await run.run() });
      } finally {
        run.close();
      }
    }
  }
}

function sourceOf(plan: Plan): RequestSource {
  const { access } = plan;
  switch (access.kind) {
    case 'static':
      return staticSource(plan);
    case 'files':
      return filesSource(plan, access);
    case 's3':
      return s3Source(plan, access);
  }
}

function tell(message: FromGenerator): void {
  process.send?.(message);
}
