/**
 * Signs a wallet in with @solana/web3.js and tweetnacl, then stores, reads and shares a file.
 * Usage: walk-through.ts BASE_URL KEYPAIR_FILE FILE OUTPUT_FOLDER
 */
import assert from 'node:assert/strict';
import { openAsBlob, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Keypair } from '@solana/web3.js';
import nacl from 'tweetnacl';

type Answer = Readonly<Record<string, string>>;

const [base = '', keypairFile = '', file = '', output = ''] = process.argv.slice(2);
const NAME = 'from node/größe 100%.bin';

const keypair = Keypair.fromSecretKey(
  Uint8Array.from(JSON.parse(readFileSync(keypairFile, 'utf8')) as number[]),
);
const tokens = await signIn();
const session = { authorization: `Bearer ${tokens['access_token']}` };
const self = await answer(await fetch(`${base}/user/me`, { headers: session }));
assert.equal(self['wallet_public_key'], keypair.publicKey.toBase58());

// A session changes things with its CSRF token.
const note = await fetch(`${base}/upload?file_name=note.txt`, {
  method: 'POST',
  headers: { ...session, 'x-csrf-token': tokens['csrf_token'] ?? '' },
  body: 'a note',
});
await answer(note, 202);

const key = { authorization: `ApiKey ${self['user_app_key']}` };
const query = `file_name=${encodeURIComponent(NAME)}`;
const stored = await answer(
  await fetch(`${base}/upload?${query}`, {
    method: 'POST',
    headers: key,
    body: await openAsBlob(file),
  }),
  202,
);
assert.equal(stored['file_name'], NAME);
await save('own.bin', await fetch(`${base}/download-stream?${query}`, { headers: key }));
const encoded = await fetch(`${base}/download?${query}`, { headers: key });
writeFileSync(join(output, 'decoded.bin'), Buffer.from(await encoded.text(), 'base64'));
const link = await answer(await post('/createPublicLink', { file_name: NAME }, key));
await save('public.bin', await fetch(`${base}/publicDownload?hash=${link['link_hash']}`));
process.stdout.write(`${self['user_app_key']}\n`);

async function signIn(): Promise<Answer> {
  const wallet = keypair.publicKey.toBase58();
  const { nonce, message = '' } = await answer(
    await post('/auth/siws/challenge', { wallet_public_key: wallet }),
  );
  const signature = nacl.sign.detached(new TextEncoder().encode(message), keypair.secretKey);
  const proof = {
    wallet_public_key: wallet,
    nonce,
    message,
    signature_b64: Buffer.from(signature).toString('base64'),
  };
  return await answer(await post('/auth/siws/verify', proof));
}

function post(path: string, body: object, headers: Answer = {}): Promise<Response> {
  return fetch(base + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

async function answer(response: Response, status = 200): Promise<Answer> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  return JSON.parse(text) as Answer;
}

async function save(name: string, response: Response): Promise<void> {
  assert.equal(response.status, 200);
  writeFileSync(join(output, name), await response.bytes());
}
