/**
 * Loaded before each test file. A file whose tests are over, but that still holds something open (a
 * child process after a time-out, a listener), would run for ever: it fails instead.
 */
import { isMainThread } from 'node:worker_threads';

const GRACE_MS = 20_000;

// A thread inherits this module from the test that started it, but is no test file.
if (isMainThread) {
  const { after } = await import('node:test');
  after(() => {
    // Without a reference: a process that has nothing left to do ends by itself before.
    setTimeout(() => {
      const open = process.getActiveResourcesInfo().join(' ');
      process.stderr.write(`the tests of this file are over, but it holds open: ${open}\n`);
      process.exit(1);
    }, GRACE_MS).unref();
  });
}
