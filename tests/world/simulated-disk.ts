/**
 * A disk that keeps only what was synced. Until a crash it behaves like any disk; `crash` stops
 * every call for ever, and `afterCrash` gives the disk as it could be found then: unsynced writes
 * may be there, torn or not at all, and so may unsynced names.
 */
import { strict as assert } from 'node:assert';
import { dirname } from 'node:path';
import type { DirectoryEntry, DiskFile, DiskIo } from '../../src/engines/blobs/disk/disk-io.ts';
import { SyncUnreached } from '../../src/engines/data-directory/durable-file.ts';
import { isErrno } from '../../src/engines/errno.ts';

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
  /**
   * Answers an error code for an operation, or `undefined` to let it pass. A write that fails has
   * written some of its bytes; a sync that fails has made some of what it covers durable, and no
   * later one makes the rest durable: the system has dropped it.
   */
  readonly failing?: (operation: DiskOperation, path: string) => string | undefined;
};

export type DiskOperation =
  | 'createFile'
  | 'openFile'
  | 'openForWriting'
  | 'removeFile'
  | 'makeDirectory'
  | 'syncDirectory'
  | 'listDirectory'
  | 'changedAt'
  | 'write'
  | 'read'
  | 'syncBytes'
  | 'truncate';

export class SimulatedDisk implements DiskIo {
  readonly #chance: Chance;
  #failing: DiskFaults['failing'];
  /** Names as the running system sees them. */
  readonly #names = new Map<string, FileNode | 'directory'>();
  /** Names that are certain to be there after a crash. */
  readonly #durableNames = new Map<string, FileNode | 'directory'>();
  /** Names whose sync has failed; no later one makes them durable. */
  readonly #lostNames = new Set<string>();
  #isCrashed = false;
  #operations = 0;
  #crashAt = Number.POSITIVE_INFINITY;
  #onCrash: () => void = () => undefined;

  constructor(chance: Chance, faults: DiskFaults = {}) {
    this.#chance = chance;
    this.#failing = faults.failing;
  }

  /** From now on operations may fail. */
  failWith(failing: DiskFaults['failing']): void {
    this.#failing = failing;
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
    try {
      await this.#step('syncDirectory', path);
    } catch (error) {
      // The folder could not even be opened: nothing is lost by that.
      if (isErrno(error, 'EMFILE')) throw new SyncUnreached(path, error);
      for (const name of this.#names.keys()) if (dirname(name) === path) this.#lostNames.add(name);
      throw error;
    }
    for (const name of [...this.#durableNames.keys()]) {
      if (dirname(name) === path && !this.#names.has(name)) this.#durableNames.delete(name);
    }
    for (const [name, node] of this.#names) {
      if (dirname(name) !== path || this.#lostNames.has(name)) continue;
      this.#durableNames.set(name, node);
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
    let isOpen = true;
    const requireOpen = () => {
      if (!isOpen) throw systemError('EBADF', path);
    };
    return {
      write: async (chunks, position) => {
        const bytes = Buffer.concat(chunks);
        try {
          await this.#step('write', path);
        } catch (error) {
          const written = bytes.subarray(0, Math.floor(this.#chance() * bytes.length));
          change(node, { kind: 'write', position, bytes: written });
          throw error;
        }
        requireOpen();
        change(node, { kind: 'write', position, bytes });
        return bytes.length;
      },
      read: async (buffer, position) => {
        await this.#step('read', path);
        requireOpen();
        const bytes = node.current.subarray(position, position + buffer.byteLength);
        buffer.set(bytes);
        return bytes.length;
      },
      syncBytes: async () => {
        try {
          await this.#step('syncBytes', path);
        } catch (error) {
          node.durable = survivingBytes(node, this.#chance);
          node.pending = [];
          throw error;
        }
        requireOpen();
        for (const one of node.pending) node.durable = applied(node.durable, one);
        node.pending = [];
      },
      sizeBytes: async () => node.current.length,
      truncate: async (sizeBytes) => {
        await this.#step('truncate', path);
        change(node, { kind: 'truncate', sizeBytes });
      },
      close: async () => {
        requireOpen();
        isOpen = false;
      },
    };
  }

  /** Each operation takes a turn or more of the loop, so that others come in between. */
  async #step(operation: DiskOperation, path: string): Promise<void> {
    const turns = Math.floor(this.#chance() * 3);
    for (let turn = 0; turn <= turns; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#operations += 1;
    if (this.#operations >= this.#crashAt) this.crash();
    if (this.#isCrashed) await new Promise(() => undefined);
    const code = this.#failing?.(operation, path);
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

function change(node: FileNode, made: Change): void {
  node.pending.push(made);
  node.current = applied(node.current, made);
}

/** The durable bytes with some of what came since: each sector of each write by itself. */
function survivingBytes(node: FileNode, chance: Chance): Buffer {
  let bytes: Buffer = Buffer.from(node.durable);
  for (const made of node.pending) {
    if (made.kind === 'truncate') {
      if (chance() < 0.5) bytes = applied(bytes, made);
      continue;
    }
    const fate = chance();
    if (fate < 0.25) bytes = applied(bytes, made);
    else if (fate < 0.75) bytes = torn(bytes, made.position, made.bytes, chance);
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

function applied(bytes: Buffer, made: Change): Buffer {
  if (made.kind === 'truncate') {
    const cut = Buffer.alloc(made.sizeBytes);
    bytes.copy(cut, 0, 0, made.sizeBytes);
    return cut;
  }
  if (made.bytes.length === 0) return bytes;
  const end = Math.max(bytes.length, made.position + made.bytes.length);
  const grown = end === bytes.length ? Buffer.from(bytes) : Buffer.alloc(end);
  if (end !== bytes.length) bytes.copy(grown);
  made.bytes.copy(grown, made.position);
  return grown;
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
