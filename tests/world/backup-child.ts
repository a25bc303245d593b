/**
 * A process to be killed: backs the small store of its first argument up into its second, and kills
 * itself at the step of its third, or once so many blobs and segments were copied.
 */
import { strict as assert } from 'node:assert';
import { openSmallStore, UNWATCHED } from './small-store.ts';

const [directory, to, at] = process.argv.slice(2);
assert(directory && to && at, 'usage: backup-child.ts STORE BACKUP STEP|COUNT');
const kill = () => process.kill(process.pid, 'SIGKILL');
const store = await openSmallStore(directory, { onStep: (step) => void (step === at && kill()) });
let copied = 0;
await store.backUp(to, false, {
  ...UNWATCHED,
  onProgress: ({ step }) => {
    if (step !== 'metadata') copied += 1;
    if (copied === Number(at)) kill();
  },
});
await store.close();
