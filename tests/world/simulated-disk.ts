/**
 * A disk that keeps only what was synced. Until a crash it behaves like any disk; `crash` stops
 * every call for ever, and `afterCrash` gives the disk as it could be found then: unsynced writes
 * may be there, torn or not at all, and so may unsynced names.
 */
import { strict as assert } from 'node:assert';
import { dirname } from 'node:path';
import type { DirectoryEntry, DiskFile, DiskIo } from '../../src/engines/blobs/disk/disk-io.ts';

/** A number in [0, 1); seeded. */
export type Chance = () => number;

/** A disk tears writes at this size; smaller ones are whole or not there. */
const SECTOR_BYTES = 512;

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly sizeBytes: number };

type FileNode = {
  /** What a reader of the running system sees. */
  current: Buffer;
  /** What is certain to be there after a crash. */
  durable: Buffer;
  /** What came since, in order. */
  pending: Change[];
  changedAt: number;
};

type Name = { readonly path: string; readonly node: FileNode | 'directory' };

export type DiskFaults = {
  /** Answers an error code for an operation, or `undefined` to let it pass. */
  readonly failing?: (operation: string, path: string) => string | undefined;
};

export class SimulatedDisk implements DiskIo {
  readonly #chance: Chance;
  readonly #faults: DiskFaults;
  /** Names as the running system sees them. */
  readonly #names = new Map<string, FileNode | 'directory'>();
  /** Names that are certain to be there after a crash. */
  readonly #durableNames = new Map<string, FileNode | 'directory'>();
  #isCrashed = false;
  #operations = 0;
  #crashAt = Number.POSITIVE_INFINITY;
  #onCrash: () => void = () => undefined;

  constructor(chance: Chance, faults: DiskFaults = {}) {
    this.#chance = chance;
    this.#faults = faults;
  }

  get operations(): number {
    return this.#operations;
  }

  /** Crashes before operation number `at` (counted from the making of the disk) takes effect. */
  crashAt(at: number, onCrash: () => void): void {
    this.#crashAt = at;
    this.#onCrash = onCrash;
  }

  /** Stops the disk now. */
  crash(): void {
    if (this.#isCrashed) return;
    this.#isCrashed = true;
    this.#onCrash();
  }

  /** A disk as it may be found after the crash; each call may find another. */
  afterCrash(chance: Chance = this.#chance, faults: DiskFaults = {}): SimulatedDisk {
    assert.ok(this.#isCrashed);
    const found = new SimulatedDisk(chance, faults);
    for (const { path, node } of this.#survivingNames()) {
      if (node === 'directory') found.#adopt(path, 'directory');
      else {
        const bytes = survivingBytes(node, this.#chance);
        const { changedAt } = node;
        found.#adopt(path, { current: bytes, durable: Buffer.from(bytes), pending: [], changedAt });
      }
    }
    return found;
  }

  async createFile(path: string): Promise<DiskFile> {
    await this.#step('createFile', path);
    this.#requireParent(path);
    if (this.#names.has(path)) throw systemError('EEXIST', path);
    const empty = { current: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [], changedAt: 0 };
    this.#names.set(path, empty);
    return this.#handle(path, empty);
  }

  async openFile(path: string): Promise<DiskFile> {
    await this.#step('openFile', path);
    return this.#handle(path, this.#fileAt(path));
  }

  async openForWriting(path: string): Promise<DiskFile> {
    await this.#step('openForWriting', path);
    return this.#handle(path, this.#fileAt(path));
  }

  async removeFile(path: string): Promise<void> {
    await this.#step('removeFile', path);
    this.#fileAt(path);
    this.#names.delete(path);
  }

  async makeDirectory(path: string): Promise<boolean> {
    await this.#step('makeDirectory', path);
    if (this.#names.has(path)) return false;
    this.#requireParent(path);
    this.#names.set(path, 'directory');
    return true;
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#step('syncDirectory', path);
    for (const name of [...this.#durableNames.keys()]) {
      if (dirname(name) === path && !this.#names.has(name)) this.#durableNames.delete(name);
    }
    for (const [name, node] of this.#names) {
      if (dirname(name) === path) this.#durableNames.set(name, node);
    }
  }

  async listDirectory(path: string): Promise<readonly DirectoryEntry[]> {
    await this.#step('listDirectory', path);
    const entries: DirectoryEntry[] = [];
    for (const [name, node] of this.#names) {
      if (dirname(name) !== path || name === path) continue;
      entries.push({ name: name.slice(path.length + 1), isDirectory: node === 'directory' });
    }
    return entries;
  }

  async changedAt(path: string): Promise<number> {
    await this.#step('changedAt', path);
    return this.#fileAt(path).changedAt;
  }

  async freeBytes(): Promise<number> {
    return Number.MAX_SAFE_INTEGER;
  }

  #handle(path: string, node: FileNode): DiskFile {
    return {
      write: async (chunks, position) => {
        await this.#step('write', path);
        const bytes = Buffer.concat(chunks);
        const change: Change = { kind: 'write', position, bytes };
        node.pending.push(change);
        node.current = applied(node.current, change);
        return bytes.length;
      },
      read: async (buffer, position) => {
        await this.#step('read', path);
        const bytes = node.current.subarray(position, position + buffer.byteLength);
        buffer.set(bytes);
        return bytes.length;
      },
      syncBytes: async () => {
        await this.#step('syncBytes', path);
        node.durable = Buffer.from(node.current);
        node.pending = [];
      },
      sizeBytes: async () => node.current.length,
      truncate: async (sizeBytes) => {
        await this.#step('truncate', path);
        const change: Change = { kind: 'truncate', sizeBytes };
        node.pending.push(change);
        node.current = applied(node.current, change);
      },
      close: async () => undefined,
    };
  }

  /** Each operation takes a turn or more of the loop, so that others come in between. */
  async #step(operation: string, path: string): Promise<void> {
    const turns = Math.floor(this.#chance() * 3);
    for (let turn = 0; turn <= turns; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#operations += 1;
    if (this.#operations >= this.#crashAt) this.crash();
    if (this.#isCrashed) await new Promise(() => undefined);
    const code = this.#faults.failing?.(operation, path);
    if (code !== undefined) throw systemError(code, path);
  }

  #fileAt(path: string): FileNode {
    const node = this.#names.get(path);
    if (node === undefined || node === 'directory') throw systemError('ENOENT', path);
    return node;
  }

  #requireParent(path: string): void {
    const parent = dirname(path);
    if (parent !== '/' && this.#names.get(parent) !== 'directory')
      throw systemError('ENOENT', path);
  }

  #adopt(path: string, node: FileNode | 'directory'): void {
    this.#names.set(path, node);
    this.#durableNames.set(path, node);
  }

  /** Durable names are there; of the changes since, each may be there or not. */
  #survivingNames(): readonly Name[] {
    const survivors = new Map<string, FileNode | 'directory'>();
    for (const [path, node] of this.#durableNames) {
      const isRemoved = !this.#names.has(path);
      if (!isRemoved || this.#chance() < 0.5) survivors.set(path, node);
    }
    for (const [path, node] of this.#names) {
      if (!this.#durableNames.has(path) && this.#chance() < 0.5) survivors.set(path, node);
    }
    // What stands in a folder that is gone is gone with it.
    const isReachable = (path: string): boolean => {
      const parent = dirname(path);
      return parent === '/' || (survivors.get(parent) === 'directory' && isReachable(parent));
    };
    return [...survivors]
      .filter(([path]) => isReachable(path))
      .map(([path, node]) => ({ path, node }));
  }
}

/** The durable bytes with some of what came since: each sector of each write by itself. */
function survivingBytes(node: FileNode, chance: Chance): Buffer {
  let bytes: Buffer = Buffer.from(node.durable);
  for (const change of node.pending) {
    if (change.kind === 'truncate') {
      if (chance() < 0.5) bytes = applied(bytes, change);
      continue;
    }
    const fate = chance();
    if (fate < 0.25) bytes = applied(bytes, change);
    else if (fate < 0.75) bytes = torn(bytes, change.position, change.bytes, chance);
  }
  return bytes;
}

/** Sectors of a write arrive in any order and not all. */
function torn(bytes: Buffer, position: number, written: Buffer, chance: Chance): Buffer {
  let result = bytes;
  for (let at = 0; at < written.length; at += SECTOR_BYTES) {
    if (chance() < 0.5) continue;
    const sector = written.subarray(at, at + SECTOR_BYTES);
    result = applied(result, { kind: 'write', position: position + at, bytes: sector });
  }
  return result;
}

function applied(bytes: Buffer, change: Change): Buffer {
  if (change.kind === 'truncate') {
    const cut = Buffer.alloc(change.sizeBytes);
    bytes.copy(cut, 0, 0, change.sizeBytes);
    return cut;
  }
  const end = Math.max(bytes.length, change.position + change.bytes.length);
  const grown = end === bytes.length ? Buffer.from(bytes) : Buffer.alloc(end);
  if (end !== bytes.length) bytes.copy(grown);
  change.bytes.copy(grown, change.position);
  return grown;
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
