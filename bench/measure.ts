/** Runs rows against targets and keeps what each run gave. */

import type { Effort } from './effort.ts';
import type { GeneratorProcess } from './load/generator-process.ts';
import type { LoadResult, Plan } from './load/plan.ts';
import { type Memory, machineCpuUs, resetPeak, treeCpuUs, treeMemory } from './process-cost.ts';
import { LIST_PAGE_NAMES } from './protocols/files.ts';
import { MIB, type Row } from './rows.ts';
import { assertAllGood, SEED_MS_MAX, Seeds } from './seeds.ts';
import type { Target } from './targets/target.ts';

export type Sample = {
  readonly load: LoadResult;
  /** In the row's unit. */
  readonly rate: number;
  readonly serverCpuUs: number | undefined;
  readonly generatorCpuUs: number;
  readonly otherCores: number | undefined;
  readonly memory: Memory | undefined;
  /** When the clock ran, on the machine's monotonic clock. */
  readonly windowUs: { readonly start: number; readonly end: number };
};

const READ_BACK_MAX = 16;
/** What uploads of this size leave would fill a disk: it is deleted after each run. */
const REMOVED_BYTES_MIN = MIB;

export class Bench {
  readonly #generator: GeneratorProcess;
  readonly #effort: Effort;
  readonly #seeds: Seeds;
  readonly #warmed = new Set<string>();

  constructor(generator: GeneratorProcess, effort: Effort) {
    this.#generator = generator;
    this.#effort = effort;
    this.#seeds = new Seeds(generator, effort);
  }

  /** How many keys this target's listing holds. */
  listedKeys(target: Target): number {
    return this.#seeds.listedKeys(target);
  }

  async measure(row: Row, target: Target): Promise<Sample> {
    await this.#warm(row, target);
    const plan = await this.#seeds.planOf(row, target, this.#effort.runMs);
    const sample = await this.#sample(row, target, plan);
    if (row.action !== 'put') return sample;
    const load = sample.load.failures > 0 ? sample.load : await this.#readBack(plan, sample.load);
    await this.#removeUploads(plan, sample.load);
    return { ...sample, load };
  }

  /**
   * Reads a few of the uploads and compares every byte, so that no row counts what was not kept.
   */
  async #readBack(plan: Plan, load: LoadResult): Promise<LoadResult> {
    const count = 2 ** Math.floor(Math.log2(load.requests));
    const read = await this.#generator.run(
      {
        ...plan,
        action: 'get',
        connections: 1,
        objects: { ...plan.objects, count },
        runMs: SEED_MS_MAX,
        requestsMax: Math.min(count, READ_BACK_MAX),
        compareEvery: 1,
      },
      () => undefined,
    );
    const { comparedAnswers, failures } = read;
    const failureTexts = read.failureTexts.map((text) => `reading an upload: ${text}`);
    return { ...load, comparedAnswers, failures, failureTexts };
  }

  async #warm(row: Row, target: Target): Promise<void> {
    const key = `${target.name} ${row.name}`;
    if (this.#warmed.has(key)) return;
    this.#warmed.add(key);
    const plan = await this.#seeds.planOf(row, target, this.#effort.warmMs);
    const load = await this.#generator.run(plan, () => undefined);
    if (row.action === 'put') await this.#removeUploads(plan, load);
  }

  async #removeUploads(plan: Plan, { requests, failures }: LoadResult): Promise<void> {
    if (plan.sizeBytes < REMOVED_BYTES_MIN || failures > 0) return;
    const removed = await this.#generator.run(
      { ...plan, action: 'delete', connections: 1, runMs: SEED_MS_MAX, requestsMax: requests },
      () => undefined,
    );
    assertAllGood(removed, 'Removing uploads');
  }

  async #sample(row: Row, target: Target, plan: Plan): Promise<Sample> {
    const { pid } = target;
    let before: CpuReading = { serverUs: undefined, machineUs: undefined };
    let start = 0;
    const load = await this.#generator.run(plan, () => {
      if (pid !== undefined) resetPeak(pid);
      before = readCpu(pid);
      start = monotonicUs();
    });
    const end = monotonicUs();
    const after = readCpu(pid);
    const serverUs = difference(before.serverUs, after.serverUs);
    const machineUs = difference(before.machineUs, after.machineUs);
    const otherUs = difference((serverUs ?? 0) + load.cpuUs, machineUs);
    return {
      load,
      rate: rateOf(row, load),
      serverCpuUs: serverUs === undefined ? undefined : serverUs / load.requests,
      generatorCpuUs: load.cpuUs / load.requests,
      otherCores: otherUs === undefined ? undefined : Math.max(0, otherUs / (end - start)),
      memory: pid === undefined ? undefined : treeMemory(pid),
      windowUs: { start, end },
    };
  }
}

type CpuReading = {
  readonly serverUs: number | undefined;
  readonly machineUs: number | undefined;
};

function readCpu(pid: number | undefined): CpuReading {
  const serverUs = pid === undefined ? undefined : treeCpuUs(pid);
  return { serverUs, machineUs: machineCpuUs() };
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before;
}

function rateOf(row: Row, load: LoadResult): number {
  switch (row.unit) {
    case 'ops/s':
      return load.requests / load.seconds;
    case 'MiB/s':
      return (load.sentBodyBytes + load.receivedBodyBytes) / MIB / load.seconds;
    case 'keys/s':
      return (load.requests * LIST_PAGE_NAMES) / load.seconds;
    case 'pages/s':
      return load.requests / load.seconds;
  }
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
