/**
 * Peers given on the command line: another checkout of Pinfold, anything that speaks the protocol
 * at a URL or by a command, or one of those that are installed on request.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ProtocolName } from '../rows.ts';
import { installPeer } from './install-peer.ts';
import { KNOWN_PEERS, type KnownPeer } from './known-peers.ts';
import { filesTarget, startPinfold } from './pinfold.ts';
import { reachS3, startS3Command } from './s3-server.ts';
import type { StartedTarget } from './target.ts';

export type PeerWord =
  | { readonly kind: 'known'; readonly name: string; readonly peer: KnownPeer }
  | { readonly kind: 'url'; readonly name: string; readonly url: URL }
  | { readonly kind: 'command'; readonly name: string; readonly command: string }
  | { readonly kind: 'checkout'; readonly name: string; readonly root: string };

export type PeerOptions = {
  readonly protocol: ProtocolName;
  /** For its data and its log. */
  readonly directory: string;
  readonly onNote: (text: string) => void;
};

/** `minio`, `versitygw`, `NAME=URL`, `NAME=run:COMMAND` or `NAME=DIRECTORY`. */
export function parsePeer(text: string): PeerWord {
  const known = KNOWN_PEERS[text];
  if (known !== undefined) return { kind: 'known', name: text, peer: known };
  const [, name, place] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || place === undefined) {
    const names = Object.keys(KNOWN_PEERS).join(', ');
    throw new Error(
      `--peer takes ${names}, NAME=URL, NAME=run:COMMAND or NAME=DIRECTORY, not ${text}`,
    );
  }
  if (/^http:\/\//.test(place)) return { kind: 'url', name, url: new URL(place) };
  if (place.startsWith('run:')) return { kind: 'command', name, command: place.slice(4) };
  const root = resolve(place);
  if (!existsSync(join(root, 'src/main.ts'))) {
    throw new Error(
      `--peer ${name}: ${root} is neither an http:// URL nor a command nor a checkout`,
    );
  }
  return { kind: 'checkout', name, root };
}

export async function startPeer(word: PeerWord, options: PeerOptions): Promise<StartedTarget> {
  const { protocol, directory, onNote } = options;
  const { name } = word;
  if (word.kind === 'checkout') {
    return await startPinfold({ name, root: word.root, directory, nodeArgs: [], protocol });
  }
  if (word.kind === 'url') {
    return protocol === 's3' ? await reachS3Peer(name, word.url) : await reachPeer(name, word.url);
  }
  if (protocol !== 's3') throw new Error(`--peer ${name} speaks S3: npm run bench -- s3`);
  if (word.kind === 'command') {
    const words = 'started by a command, with whatever limits that sets';
    return await startS3Command({
      name,
      words,
      command: word.command,
      program: undefined,
      directory,
    });
  }
  const { command, version, words } = word.peer;
  const program = await installPeer(word.peer, { onNote });
  return await startS3Command({
    name,
    words: `${version}, ${words}`,
    command,
    program,
    directory,
  });
}

async function reachPeer(name: string, url: URL): Promise<StartedTarget> {
  const port = Number(url.port === '' ? 80 : url.port);
  const appKey = process.env[variableOf('KEY', name)] ?? (await signUp(name, url));
  return {
    ...filesTarget({ name, port, appKey }),
    host: url.hostname,
    words: `at ${url.host}, not started by us: its limits and its memory are its own`,
    role: 'peer',
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function reachS3Peer(name: string, url: URL): Promise<StartedTarget> {
  const [, accessKeyId, secret] =
    /^([^:]+):(.+)$/.exec(process.env[variableOf('KEY', name)] ?? '') ?? [];
  if (accessKeyId === undefined || secret === undefined) {
    throw new Error(
      `--peer ${name}: give its access key in ${variableOf('KEY', name)}, as ID:SECRET`,
    );
  }
  const region = process.env[variableOf('REGION', name)];
  return await reachS3({ name, url, accessKeyId, secret, region });
}

/** Where a peer's keys are read from; argv is for all to see. */
function variableOf(what: 'KEY' | 'REGION', name: string): string {
  return `PINFOLD_BENCH_${what}_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
}

async function signUp(name: string, url: URL): Promise<string> {
  const username = `bench-${Date.now().toString(36)}`;
  const answer = await fetch(new URL('/users', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username }),
  });
  const text = await answer.text();
  if (answer.status !== 200) {
    throw new Error(
      `--peer ${name} made no account (${answer.status} ${text}); give its app key in ${variableOf('KEY', name)}`,
    );
  }
  return (JSON.parse(text) as { readonly user_app_key: string }).user_app_key;
}
