/**
 * What the disk engine asks of a disk, and no more, so that a simulated disk can stand behind it.
 *
 * Promises the engine relies on: bytes are durable after `syncBytes` of their file, names after
 * `syncDirectory` of their folder; nothing else is. Errors are Node's own, with their `code`.
 */
export interface DiskFile {
  /** Writes all of `chunks` at `position`; answers the number of bytes. */
  write(chunks: readonly Uint8Array[], position: number): Promise<number>;
  /** Fills `buffer` from `position`; answers how many bytes there were. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /**
   * Writes at once, on the calling thread; for little that goes into the system's cache. Engines
   * that have no such way leave it out.
   */
  writeNow?(chunks: readonly Uint8Array[], position: number): number;
  /** Reads at once, on the calling thread; for what the system's cache is likely to hold. */
  readNow?(buffer: Uint8Array, position: number): number;
  /** `fdatasync`: bytes and length are durable once it resolves. */
  syncBytes(): Promise<void>;
  sizeBytes(): Promise<number>;
  /** Cuts what is behind `sizeBytes`; durable after `syncBytes`. */
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
}

export type DirectoryEntry = { readonly name: string; readonly isDirectory: boolean };

export interface DiskIo {
  /** Creates a file that must not exist (`EEXIST`). */
  createFile(path: string): Promise<DiskFile>;
  /** Opens for reading (`ENOENT`). */
  openFile(path: string): Promise<DiskFile>;
  /** Opens a file that stands for writing behind what it holds. */
  openForWriting(path: string): Promise<DiskFile>;
  removeFile(path: string): Promise<void>;
  /** Answers whether it was made by this call. */
  makeDirectory(path: string): Promise<boolean>;
  /**
   * Throws `SyncUnreached` when the folder could not be opened: anything else is a failed sync,
   * after which nobody knows what the disk holds.
   */
  syncDirectory(path: string): Promise<void>;
  /** Empty when the folder is absent. */
  listDirectory(path: string): Promise<readonly DirectoryEntry[]>;
  /** When the file last changed, in milliseconds since the epoch. */
  changedAt(path: string): Promise<number>;
  /** Bytes that can still be written where `path` is. */
  freeBytes(path: string): Promise<number>;
}
