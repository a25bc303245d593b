/** The machine's disk behind `DiskIo`. */
import * as fs from 'node:fs';
import * as files from 'node:fs/promises';
import { syncDirectory } from '../../data-directory/durable-file.ts';
import { isErrno } from '../../errno.ts';
import type { DirectoryEntry, DiskFile, DiskIo } from './disk-io.ts';

/** Files are readable by the server's user alone. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

export const realDisk: DiskIo = {
  createFile: async (path) => realFile(await files.open(path, 'wx+', FILE_MODE)),
  openFile: async (path) => realFile(await files.open(path, 'r')),
  openForWriting: async (path) => realFile(await files.open(path, 'r+')),
  removeFile: (path) => files.unlink(path),
  makeDirectory: async (path) => {
    try {
      await files.mkdir(path, { mode: DIRECTORY_MODE });
      return true;
    } catch (error) {
      if (isErrno(error, 'EEXIST')) return false;
      throw error;
    }
  },
  syncDirectory,
  listDirectory: async (path): Promise<readonly DirectoryEntry[]> => {
    try {
      const entries = await files.readdir(path, { withFileTypes: true });
      return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return [];
      throw error;
    }
  },
  changedAt: async (path) => (await files.stat(path)).mtimeMs,
  freeBytes: async (path) => {
    const { bavail, bsize } = await files.statfs(path);
    return bavail * bsize;
  },
};

function realFile(handle: files.FileHandle): DiskFile {
  return {
    write: async (chunks, position) => {
      const total = totalBytes(chunks);
      let { bytesWritten } = await handle.writev([...chunks], position);
      // A short write is legal (a signal, a quota's edge): the rest is written once more, whole.
      while (bytesWritten < total) {
        const rest = Buffer.concat(chunks).subarray(bytesWritten);
        const { bytesWritten: more } = await handle.write(
          rest,
          0,
          rest.length,
          position + bytesWritten,
        );
        bytesWritten += more;
      }
      return bytesWritten;
    },
    read: async (buffer, position) => {
      let filled = 0;
      while (filled < buffer.byteLength) {
        const { bytesRead } = await handle.read(
          buffer,
          filled,
          buffer.byteLength - filled,
          position + filled,
        );
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return filled;
    },
    writeNow: (chunks, position) => {
      let written = fs.writevSync(handle.fd, [...chunks], position);
      const total = totalBytes(chunks);
      while (written < total) {
        const rest = Buffer.concat(chunks).subarray(written);
        written += fs.writeSync(handle.fd, rest, 0, rest.length, position + written);
      }
      return written;
    },
    readNow: (buffer, position) => fs.readSync(handle.fd, buffer, 0, buffer.byteLength, position),
    syncBytes: () => handle.datasync(),
    truncate: (sizeBytes) => handle.truncate(sizeBytes),
    sizeBytes: async () => (await handle.stat()).size,
    close: () => handle.close(),
  };
}

function totalBytes(chunks: readonly Uint8Array[]): number {
  let total = 0;
  for (const chunk of chunks) total += chunk.byteLength;
  return total;
}
