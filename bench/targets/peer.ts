/**
 * Peers given on the command line: another checkout of Pinfold, or anything that speaks the Files
 * API.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { filesTarget, startPinfold } from './pinfold.ts';
import type { StartedTarget } from './target.ts';

export type PeerWord = { readonly name: string; readonly place: string };

/** `NAME=URL` or `NAME=DIRECTORY`. */
export function parsePeer(text: string): PeerWord {
  const [, name, place] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
  if (name === undefined || place === undefined) {
    throw new Error(`--peer takes NAME=URL or NAME=DIRECTORY, not ${text}`);
  }
  return { name, place };
}

export async function startPeer(
  { name, place }: PeerWord,
  directory: string,
): Promise<StartedTarget> {
  if (/^http:\/\//.test(place)) return await reachPeer(name, new URL(place));
  const root = resolve(place);
  if (!existsSync(join(root, 'src/main.ts'))) {
    throw new Error(`--peer ${name}: ${root} is neither an http:// URL nor a checkout`);
  }
  return await startPinfold({ name, root, directory, nodeArgs: [] });
}

async function reachPeer(name: string, url: URL): Promise<StartedTarget> {
  const port = Number(url.port === '' ? 80 : url.port);
  return {
    ...filesTarget({ name, port }),
    host: url.hostname,
    words: `at ${url.host}, not started by us: its limits and its memory are its own`,
    credential: process.env[keyVariable(name)] ?? (await signUp(name, url)),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Where a peer's app key is read from; argv is for all to see. */
function keyVariable(name: string): string {
  return `PINFOLD_BENCH_KEY_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
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
    throw new Error(`--peer ${name} made no account (${answer.status} ${text}); ${keyWords(name)}`);
  }
  return (JSON.parse(text) as { readonly user_app_key: string }).user_app_key;
}

function keyWords(name: string): string {
  return `give its app key in ${keyVariable(name)}`;
}
