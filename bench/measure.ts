/** Runs rows against targets and keeps what each run gave. */
import type { GeneratorProcess } from './load/generator-process.ts';
import type { ListPage, LoadResult, ObjectRange, Plan } from './load/plan.ts';
import { type Memory, machineCpuUs, resetPeak, treeCpuUs, treeMemory } from './process-cost.ts';
import { collectListPages, LIST_PAGE_NAMES } from './protocols/files.ts';
import { MIB, type Row, sizeText } from './rows.ts';
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

export type Effort = {
  readonly runMs: number;
  /** What the server does of a row before its first run counts: compilers and caches get warm. */
  readonly warmMs: number;
  readonly listNames: number;
  /** A power of two: of how many objects reads go round at most. */
  readonly readCountMax: number;
};

/**
 * What of a size is kept for reading: enough that no single object is hot, little enough to cache.
 */
const READ_BYTES = 64 * MIB;
const READ_COUNT_MIN = 4;
const SEED_CONNECTIONS = 16;
const SEED_MS_MAX = 600_000;
/** Of so many answers one is compared byte by byte. */
const COMPARE_EVERY = 16;
/** More than any run can use, so that no two runs write the same name. */
const UPLOADS_A_RUN_MAX = 1_000_003;
const READ_BACK_MAX = 16;
const DELETES_A_SECOND_MAX = 25_000;

export class Bench {
  readonly #generator: GeneratorProcess;
  readonly #effort: Effort;
  /** What is there to be read, by target and prefix. */
  readonly #seeded = new Map<string, ObjectRange>();
  readonly #pages = new Map<string, readonly ListPage[]>();
  readonly #warmed = new Set<string>();
  /** The next number that no upload has used; also not one of an earlier run against a peer. */
  #nextNumber = Math.floor(Date.now() / 1000) * UPLOADS_A_RUN_MAX;

  constructor(generator: GeneratorProcess, effort: Effort) {
    this.#generator = generator;
    this.#effort = effort;
  }

  async measure(row: Row, target: Target): Promise<Sample> {
    await this.#warm(row, target);
    const plan = await this.#planOf(row, target, this.#effort.runMs);
    const sample = await this.#sample(row, target, plan);
    if (row.action !== 'put' || sample.load.failures > 0) return sample;
    return { ...sample, load: await this.#readBack(plan, sample.load) };
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
    const plan = await this.#planOf(row, target, this.#effort.warmMs);
    await this.#generator.run(plan, () => undefined);
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

  /** A plan with everything stored that it needs. */
  async #planOf(row: Row, target: Target, runMs: number): Promise<Plan> {
    const base: Plan = {
      host: target.host,
      port: target.port,
      protocol: target.protocol,
      action: row.action,
      credential: target.credential,
      connections: row.connections,
      sizeBytes: row.sizeBytes,
      objects: { prefix: `put-${sizeText(row.sizeBytes)}/`, first: this.#nextNumber, count: 0 },
      pages: [],
      runMs,
      requestsMax: Number.MAX_SAFE_INTEGER,
      compareEvery: target.seed.kind === 'none' ? 0 : COMPARE_EVERY,
    };
    switch (row.action) {
      case 'put':
        this.#nextNumber += UPLOADS_A_RUN_MAX;
        return base;
      case 'get':
      case 'head':
        return { ...base, objects: await this.#seedReads(row, target, base) };
      case 'delete':
        return await this.#seedDeletes(base);
      case 'list':
        return { ...base, ...(await this.#seedListing(target, base)) };
    }
  }

  async #seedReads(row: Row, target: Target, base: Plan): Promise<ObjectRange> {
    const prefix = `get-${sizeText(row.sizeBytes)}/`;
    const key = `${target.name} ${prefix}`;
    const known = this.#seeded.get(key);
    if (known !== undefined) return known;
    const wanted = READ_BYTES / Math.max(1, row.sizeBytes);
    const count = Math.min(this.#effort.readCountMax, Math.max(READ_COUNT_MIN, wanted));
    const objects = { prefix, first: 0, count };
    this.#seeded.set(key, objects);
    if (target.seed.kind === 'upload') await this.#upload(base, objects, row.sizeBytes);
    if (target.seed.kind === 'write') target.seed.write({ ...objects, sizeBytes: row.sizeBytes });
    return objects;
  }

  /** Uploads for as long as the run may last; deleting is quicker. */
  async #seedDeletes(base: Plan): Promise<Plan> {
    const most = Math.ceil((DELETES_A_SECOND_MAX * base.runMs) / 1000);
    const objects = { prefix: 'delete/', first: this.#nextNumber, count: most };
    this.#nextNumber += most;
    const uploaded = await this.#generator.run(
      { ...base, objects, action: 'put', connections: 64, requestsMax: most },
      () => undefined,
    );
    assertAllGood(uploaded, 'Uploading what is deleted');
    return { ...base, objects, requestsMax: uploaded.requests };
  }

  async #seedListing(target: Target, base: Plan): Promise<Pick<Plan, 'objects' | 'pages'>> {
    const objects = { prefix: 'list/', first: 0, count: this.#effort.listNames };
    const known = this.#pages.get(target.name);
    if (known !== undefined) return { objects, pages: known };
    await this.#upload(base, objects, 16);
    const url = `http://${target.host}:${target.port}`;
    const pages = await collectListPages(
      { url, credential: target.credential },
      { prefix: objects.prefix, names: objects.count },
    );
    this.#pages.set(target.name, pages);
    return { objects, pages };
  }

  async #upload(base: Plan, objects: ObjectRange, sizeBytes: number): Promise<void> {
    const result = await this.#generator.run(
      {
        ...base,
        objects,
        sizeBytes,
        action: 'put',
        connections: Math.min(SEED_CONNECTIONS, objects.count),
        runMs: SEED_MS_MAX,
        requestsMax: objects.count,
      },
      () => undefined,
    );
    assertAllGood(result, 'Uploading what is read');
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
  }
}

function assertAllGood(result: LoadResult, what: string): void {
  if (result.failures > 0) throw new Error(`${what} failed: ${result.failureTexts.join('; ')}`);
}

function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
