/** What rows need stored before their clock starts, and the plans made of it. */

import type { Effort } from './effort.ts';
import type { GeneratorProcess } from './load/generator-process.ts';
import type { ListPage, LoadResult, ObjectRange, Plan } from './load/plan.ts';
import { collectFilesPages } from './protocols/files.ts';
import { collectS3Pages } from './protocols/s3-listing.ts';
import { MIB, type Row, sizeText } from './rows.ts';
import type { Target } from './targets/target.ts';

/**
 * What of a size is kept for reading: enough that no single object is hot, little enough to cache.
 */
const READ_BYTES = 64 * MIB;
const READ_COUNT_MIN = 4;
const SEED_CONNECTIONS = 16;
const LISTING_CONNECTIONS = 64;
/** Signed at once, which takes half a second and 10 MiB. */
const LISTING_BATCH = 50_000;
const LISTED_BYTES = 16;
/** The first two digits of a number name a folder: 256 prefixes, in each as many keys. */
const LISTING_FOLDER_DIGITS = 2;
const LISTING_FOLDERS = 256;
export const SEED_MS_MAX = 600_000;
/** Of so many answers one is compared byte by byte. */
const COMPARE_EVERY = 16;
/** More than any run can use, so that no two runs write the same name. */
const UPLOADS_A_RUN_MAX = 1_000_003;
const DELETES_A_SECOND_MAX = 25_000;

export class Seeds {
  readonly #generator: GeneratorProcess;
  readonly #effort: Effort;
  /** What is there to be read, by target and prefix. */
  readonly #reads = new Map<string, ObjectRange>();
  readonly #listed = new Map<string, ObjectRange>();
  readonly #pages = new Map<string, readonly ListPage[]>();
  /** The next number that no upload has used; also not one of an earlier run against a peer. */
  #nextNumber = Math.floor(Date.now() / 1000) * UPLOADS_A_RUN_MAX;

  constructor(generator: GeneratorProcess, effort: Effort) {
    this.#generator = generator;
    this.#effort = effort;
  }

  /** A plan with everything stored that it needs. */
  async planOf(row: Row, target: Target, runMs: number): Promise<Plan> {
    const prefix = `put-${sizeText(row.sizeBytes)}/`;
    const base: Plan = {
      host: target.host,
      port: target.port,
      access: target.access,
      action: row.action,
      payload: row.payload,
      connections: row.connections,
      sizeBytes: row.sizeBytes,
      objects: { prefix, folderDigits: 0, first: this.#nextNumber, count: 0 },
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
      case 'list-delimiter':
        return { ...base, ...(await this.#seedListing(row.action, target, base)) };
    }
  }

  /** How many keys this target's listing holds. */
  listedKeys({ role }: Target): number {
    const { listKeys, listKeysOfPeers } = this.#effort;
    return role === 'peer' ? Math.min(listKeys, listKeysOfPeers) : listKeys;
  }

  async #seedReads(row: Row, target: Target, base: Plan): Promise<ObjectRange> {
    const prefix = `get-${sizeText(row.sizeBytes)}/`;
    const key = `${target.name} ${prefix}`;
    const known = this.#reads.get(key);
    if (known !== undefined) return known;
    const wanted = READ_BYTES / Math.max(1, row.sizeBytes);
    const count = Math.min(this.#effort.readCountMax, Math.max(READ_COUNT_MIN, wanted));
    const objects = { prefix, folderDigits: 0, first: 0, count };
    this.#reads.set(key, objects);
    if (target.seed.kind === 'upload') await this.#upload({ ...base, objects }, SEED_CONNECTIONS);
    if (target.seed.kind === 'write') target.seed.write({ ...objects, sizeBytes: row.sizeBytes });
    return objects;
  }

  /** Uploads for as long as the run may last; deleting is quicker. */
  async #seedDeletes(base: Plan): Promise<Plan> {
    const most = Math.ceil((DELETES_A_SECOND_MAX * base.runMs) / 1000);
    const objects = { prefix: 'delete/', folderDigits: 0, first: this.#nextNumber, count: most };
    this.#nextNumber += most;
    const uploaded = await this.#generator.run(
      { ...base, objects, action: 'put', connections: 64, requestsMax: most },
      () => undefined,
    );
    assertAllGood(uploaded, 'Uploading what is deleted');
    return { ...base, objects, requestsMax: uploaded.requests };
  }

  async #seedListing(
    action: 'list' | 'list-delimiter',
    target: Target,
    base: Plan,
  ): Promise<Pick<Plan, 'objects' | 'pages'>> {
    const objects = this.#listed.get(target.name) ?? (await this.#uploadListing(target, base));
    this.#listed.set(target.name, objects);
    const key = `${target.name} ${action}`;
    const pages = this.#pages.get(key) ?? (await collectPages(action, target, objects));
    this.#pages.set(key, pages);
    return { objects, pages };
  }

  async #uploadListing(target: Target, base: Plan): Promise<ObjectRange> {
    const folderDigits = target.access.kind === 's3' ? LISTING_FOLDER_DIGITS : 0;
    const count = this.listedKeys(target);
    const objects = { prefix: 'list/', folderDigits, first: 0, count };
    for (let first = 0; first < count; first += LISTING_BATCH) {
      const batch = { ...objects, first, count: Math.min(LISTING_BATCH, count - first) };
      const plan = { ...base, objects: batch, sizeBytes: LISTED_BYTES };
      await this.#upload(plan, LISTING_CONNECTIONS);
    }
    return objects;
  }

  async #upload(plan: Plan, connections: number): Promise<void> {
    const { count } = plan.objects;
    const result = await this.#generator.run(
      {
        ...plan,
        action: 'put',
        connections: Math.min(connections, count),
        runMs: SEED_MS_MAX,
        requestsMax: count,
      },
      () => undefined,
    );
    assertAllGood(result, 'Uploading what is read');
  }
}

async function collectPages(
  action: 'list' | 'list-delimiter',
  { host, port, access }: Target,
  { prefix, count }: ObjectRange,
): Promise<readonly ListPage[]> {
  switch (access.kind) {
    case 'files': {
      const at = { url: `http://${host}:${port}`, access };
      return await collectFilesPages(at, { prefix, names: count });
    }
    case 's3': {
      const isRolledUp = action === 'list-delimiter';
      const delimiter = isRolledUp ? '/' : undefined;
      const entries = isRolledUp ? Math.min(LISTING_FOLDERS, count) : count;
      return await collectS3Pages(
        { host: `${host}:${port}`, access },
        { prefix, delimiter, entries },
      );
    }
    case 'static':
      throw new Error('Static files have no listing.');
  }
}

export function assertAllGood(result: LoadResult, what: string): void {
  if (result.failures > 0) throw new Error(`${what} failed: ${result.failureTexts.join('; ')}`);
}
