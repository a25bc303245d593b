/**
 * Proves that programs written from the public documentation alone sign in with a wallet, get their
 * key, store, read and share a file: with curl, with Python's solders and requests, with Node's
 * @solana/web3.js 1.x and tweetnacl. The bytes come back as they went in.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Keypair } from '@solana/web3.js';
import { findPython } from '../world/python.ts';
import { seededRandom } from '../world/seeded-random.ts';
import { startServer, type TestServer } from '../world/server.ts';

const run = promisify(execFile);
const HERE = import.meta.dirname;
/** Larger than what is kept within a segment, and no multiple of any block. */
const BYTES = seededRandom('walk-through').bytes(700_001);

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server[Symbol.asyncDispose]());

/** A folder with the file to be stored and the wallet's key in both usual forms. */
function prepare(name: string) {
  const folder = join(server.directory, name);
  mkdirSync(folder);
  const pair = Keypair.fromSeed(seededRandom(`walk-through ${name}`).bytes(32));
  const paths = {
    folder,
    file: join(folder, 'original.bin'),
    keypair: join(folder, 'keypair.json'),
    pem: join(folder, 'key.pem'),
  };
  writeFileSync(paths.file, BYTES);
  writeFileSync(paths.keypair, JSON.stringify([...pair.secretKey]));
  const base64Url = (from: number, to: number) =>
    Buffer.from(pair.secretKey.subarray(from, to)).toString('base64url');
  const jwk = { kty: 'OKP', crv: 'Ed25519', d: base64Url(0, 32), x: base64Url(32, 64) };
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  writeFileSync(paths.pem, key.export({ format: 'pem', type: 'pkcs8' }));
  return { ...paths, wallet: pair.publicKey.toBase58() };
}

function assertWalked(folder: string, appKey: string): void {
  assert.match(appKey, /^pfk_[\w-]{49}\n$/);
  for (const name of ['own.bin', 'decoded.bin', 'public.bin']) {
    assert.ok(readFileSync(join(folder, name)).equals(BYTES), `${name} has the original's bytes`);
  }
}

test('curl and openssl walk through', async (t) => {
  const missing = ['curl', 'openssl'].filter((name) => !isInstalled(name));
  if (missing.length > 0) return t.skip(`not installed: ${missing.join(', ')}`);
  const { folder, file, pem, wallet } = prepare('shell');
  const script = join(HERE, 'walk-through.sh');
  const args = [script, server.url, wallet, pem, file, folder];
  assertWalked(folder, (await run('sh', args)).stdout);
});

test('Python with solders and requests walks through', async (t) => {
  const python = findPython();
  if (python === undefined) return t.skip('the Python environment could not be made');
  const { folder, file, keypair } = prepare('python');
  const script = join(HERE, 'walk_through.py');
  assertWalked(folder, (await run(python, [script, server.url, keypair, file, folder])).stdout);
});

test('Node with @solana/web3.js and tweetnacl walks through', async () => {
  const { folder, file, keypair } = prepare('node');
  const script = join(HERE, 'walk-through.ts');
  const args = ['--no-warnings', script, server.url, keypair, file, folder];
  assertWalked(folder, (await run(process.execPath, args)).stdout);
});

function isInstalled(command: string): boolean {
  return spawnSync(command, ['--help'], { stdio: 'ignore' }).error === undefined;
}
