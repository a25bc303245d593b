/** Where the server's time went: what V8's CPU profiles say, within the window of one run. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

type ProfileNode = {
  readonly id: number;
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
  readonly children?: readonly number[];
};

type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

export type Window = { readonly start: number; readonly end: number };

export type ProfileOptions = {
  /** File names are shown from here. */
  readonly root: string;
  readonly windows: readonly Window[];
  readonly requests: number;
  readonly lines: number;
};

/** Microseconds by name. */
type Shares = Map<string, number>;

type ThreadTimes = {
  readonly functions: Shares;
  readonly files: Shares;
  readonly groups: Shares;
  /** Everything below a function of ours, counted once however deep it calls itself. */
  readonly inclusive: Shares;
  readonly totalUs: number;
};

/** A text for each thread that was busy, the busiest first. */
export function summarizeProfiles(directory: string, options: ProfileOptions): string {
  const threads = readdirSync(directory)
    .filter((name) => name.endsWith('.cpuprofile'))
    .map((name) => {
      const profile = JSON.parse(readFileSync(join(directory, name), 'utf8')) as CpuProfile;
      return { name, times: timesOf(profile, options) };
    })
    .sort((a, b) => busyUs(b.times) - busyUs(a.times));
  return threads.map(({ name, times }) => threadText(name, times, options)).join('\n');
}

const IDLE = '(idle)';

function busyUs({ totalUs, functions }: ThreadTimes): number {
  return totalUs - (functions.get(IDLE) ?? 0);
}

function timesOf(profile: CpuProfile, { windows, root }: ProfileOptions): ThreadTimes {
  const selfUs = new Map<number, number>();
  let now = profile.startTime;
  let totalUs = 0;
  profile.samples.forEach((id, at) => {
    now += profile.timeDeltas[at] ?? 0;
    // A sample stands for the time until the next one.
    const us = profile.timeDeltas[at + 1] ?? 0;
    if (!windows.some(({ start, end }) => now >= start && now < end)) return;
    selfUs.set(id, (selfUs.get(id) ?? 0) + us);
    totalUs += us;
  });
  const times: ThreadTimes = {
    functions: new Map(),
    files: new Map(),
    groups: new Map(),
    inclusive: new Map(),
    totalUs,
  };
  const parents = parentsOf(profile.nodes);
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  for (const [id, us] of selfUs) {
    const node = byId.get(id);
    if (node === undefined) continue;
    const file = fileOf(node, root);
    add(times.functions, labelOf(node, file), us);
    add(times.files, file === '' ? node.callFrame.functionName : file, us);
    add(times.groups, groupOf(node, file), us);
    const seen = new Set<string>();
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const caller = byId.get(at);
      if (caller === undefined) break;
      const label = labelOf(caller, fileOf(caller, root));
      if (seen.has(label)) continue;
      seen.add(label);
      add(times.inclusive, label, us);
    }
  }
  return times;
}

function parentsOf(nodes: readonly ProfileNode[]): ReadonlyMap<number, number> {
  const parents = new Map<number, number>();
  for (const { id, children = [] } of nodes) for (const child of children) parents.set(child, id);
  return parents;
}

function fileOf({ callFrame: { url } }: ProfileNode, root: string): string {
  if (!url.startsWith('file:')) return url;
  const path = fileURLToPath(url);
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}

function labelOf({ callFrame }: ProfileNode, file: string): string {
  const name = callFrame.functionName === '' ? '(anonymous)' : callFrame.functionName;
  if (file === '') return name;
  return `${name}  ${file}:${callFrame.lineNumber + 1}`;
}

/** Coarse: a folder of ours, a package, Node itself, or what V8 names in parentheses. */
function groupOf({ callFrame }: ProfileNode, file: string): string {
  if (file === '') {
    const { functionName } = callFrame;
    return functionName.startsWith('(') ? functionName : '(native functions)';
  }
  if (file.startsWith('node:')) return 'node:*';
  const [, scoped] = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(file) ?? [];
  if (scoped !== undefined) return scoped;
  return file.split('/').slice(0, 3).join('/');
}

function threadText(name: string, times: ThreadTimes, { requests, lines }: ProfileOptions): string {
  const part = (title: string, shares: Shares) => {
    const rows = [...shares]
      .filter(([label]) => label !== IDLE && label !== '(root)')
      .sort(([, a], [, b]) => b - a)
      .slice(0, lines)
      .map(([label, us]) => {
        const share = ((100 * us) / times.totalUs).toFixed(1).padStart(5);
        return `${(us / requests).toFixed(2).padStart(8)}  ${share} %  ${label}`;
      });
    return `${title}\n  us/req    time  what\n${rows.join('\n')}\n`;
  };
  const busy = busyUs(times);
  const busyShare = ((100 * busy) / Math.max(1, times.totalUs)).toFixed(0);
  const head = `${name}: busy ${busyShare} % of ${(times.totalUs / 1e6).toFixed(1)} s, ${(busy / requests).toFixed(1)} us of ${requests} requests each`;
  if (busy / Math.max(1, times.totalUs) < 0.005) return `${head}\n`;
  return [
    head,
    part('Self time by group', times.groups),
    part('Self time by function', times.functions),
    part('Self time by file', times.files),
    part('Time with everything below', times.inclusive),
  ].join('\n');
}

function add(shares: Shares, label: string, us: number): void {
  shares.set(label, (shares.get(label) ?? 0) + us);
}
