/**
 * A server that kills itself. Usage: crash-child.ts [STEP COUNT], configured by the environment
 * like `pinfold serve`; when a PUT reaches STEP for the COUNT-th time, the process gets SIGKILL. It
 * ends with its parent.
 */
import { composeServer } from '../../src/compose/compose-server.ts';
import { loadConfig } from '../../src/config/config.ts';
import { readEnvironment } from '../../src/config/env.ts';
import type { FaultPoints } from '../../src/core/ports/fault-points.ts';

const [step, count = '0'] = process.argv.slice(2);
let left = Number(count);

const faults: FaultPoints = {
  reach: (reached) => {
    if (reached !== step) return;
    left -= 1;
    if (left > 0) return;
    process.kill(process.pid, 'SIGKILL');
    // Nothing of this thread runs on while the signal is on its way.
    for (;;);
  },
};

process.stdin.on('end', () => process.exit()).resume();
const config = loadConfig({ environment: readEnvironment(), workingDirectory: process.cwd() });
const server = await composeServer({ config, faults });
process.stderr.write(`API ${server.addresses.api}\n`);
