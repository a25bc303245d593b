/** Installs a known peer once for all checkouts, outside of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { KnownPeer } from './known-peers.ts';

export type InstallProgress = { readonly onNote: (text: string) => void };

/** The path of its program. */
export async function installPeer(peer: KnownPeer, { onNote }: InstallProgress): Promise<string> {
  const { goPackage, version, program } = peer;
  const directory = join(cacheDirectory(), `${program}-${version}`);
  const file = join(directory, program);
  if (existsSync(file)) return file;
  onNote(`Installing ${program} ${version} into ${directory}: this takes some minutes.`);
  const building = `${directory}.building`;
  rmSync(building, { recursive: true, force: true });
  mkdirSync(building, { recursive: true });
  const child = spawn('go', ['install', `${goPackage}@${version}`], {
    cwd: building,
    // Without a C compiler, so that the same program comes of it everywhere.
    env: { ...process.env, GOBIN: building, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // An error is Go missing; a code is the build.
  const [code] = await once(child, 'exit').catch((error: unknown) => {
    throw new Error(`${program} is built by Go, which could not be started.`, { cause: error });
  });
  if (code !== 0) throw new Error(`go install ${goPackage}@${version} ended with ${code}.`);
  // Renamed when whole: what was broken off is built again.
  renameSync(building, directory);
  return file;
}

function cacheDirectory(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(base, 'pinfold/peers');
}
