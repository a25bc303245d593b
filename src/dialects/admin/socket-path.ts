/**
 * Unix sockets whose path is longer than the system's address takes. Linux reaches any directory by
 * the short name of an open handle; elsewhere the path has to be short.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** `sun_path` without its closing NUL: Linux 107, macOS and the BSDs 103. */
const PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103;

export class SocketPathError extends Error {
  readonly remedy: string;

  constructor(path: string) {
    super(`The socket path ${path} is longer than the ${PATH_BYTES_MAX} bytes the system takes.`);
    this.name = 'SocketPathError';
    this.remedy = 'Set PINFOLD_DATA_DIR to a shorter path, or to a symbolic link of one.';
  }
}

/** A spelling of a socket's path that the system takes, as long as it is not disposed. */
export type SocketPath = AsyncDisposable & { readonly path: string };

/** Throws `SocketPathError`, or the system's error when the directory cannot be opened. */
export async function openSocketPath(path: string): Promise<SocketPath> {
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) {
    return { path, [Symbol.asyncDispose]: async () => undefined };
  }
  if (process.platform !== 'linux') throw new SocketPathError(path);
  const directory: FileHandle = await open(dirname(path), 'r');
  return {
    path: join(`/proc/self/fd/${directory.fd}`, basename(path)),
    [Symbol.asyncDispose]: () => directory.close(),
  };
}
