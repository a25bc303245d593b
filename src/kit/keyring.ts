/**
 * Master keys and what is derived from them. A master key file has one line a key, `<kid>
 * <base64url of 32 bytes>`, the newest last; `#` begins a comment line. Every purpose has its own
 * key by HKDF-SHA256, so that no two uses can be played against each other.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { decodeBase64Url, encodeBase64Url } from './base64.ts';

export type MasterKey = { readonly kid: string; readonly secret: Uint8Array };

/** A key of one purpose under the master key `kid`. */
export type DerivedKey = { readonly kid: string; readonly key: KeyObject };

export type Keyring = {
  /** The purpose's key under the newest master key; what is made now is made with it. */
  readonly newest: (purpose: string) => DerivedKey;
  /** The purpose's keys under all master keys held, the newest first. */
  readonly all: (purpose: string) => readonly DerivedKey[];
  /** The purpose's key under `kid`, or `undefined` when no such master key is held. */
  readonly find: (purpose: string, kid: string) => DerivedKey | undefined;
};

/** A master key file that cannot be used; the message names the line and never quotes it. */
export class MasterKeyFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MasterKeyFileError';
  }
}

const SECRET_BYTES = 32;
const KID_BYTES = 6;
/** More master keys than this are a fault: each rotation adds one. */
const MASTER_KEYS_MAX = 1000;

/** How many random bytes a new master key takes. */
export const MASTER_KEY_RANDOM_BYTES = KID_BYTES + SECRET_BYTES;
/** How many random bytes sealing a text takes. */
export const SEAL_NONCE_BYTES = 12;

const TAG_BYTES = 16;

/** Reads a master key file; throws `MasterKeyFileError`. */
export function parseMasterKeys(text: string): readonly MasterKey[] {
  const keys: MasterKey[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(?:#.*)?$/.test(line)) continue;
    const key = parseLine(line);
    if (key === undefined) {
      throw new MasterKeyFileError(
        `Line ${index + 1} is not "<kid> <base64url of ${SECRET_BYTES} bytes>".`,
      );
    }
    if (keys.some((other) => other.kid === key.kid)) {
      throw new MasterKeyFileError(`Line ${index + 1} repeats the key id ${key.kid}.`);
    }
    keys.push(key);
  }
  if (keys.length === 0) throw new MasterKeyFileError('The file holds no key.');
  if (keys.length > MASTER_KEYS_MAX) throw new MasterKeyFileError('The file holds too many keys.');
  return keys;
}

/** A new line for a master key file (without its line end), of `MASTER_KEY_RANDOM_BYTES`. */
export function newMasterKeyLine(random: Uint8Array): string {
  if (random.length !== MASTER_KEY_RANDOM_BYTES) {
    throw new RangeError(`A master key takes ${MASTER_KEY_RANDOM_BYTES} random bytes.`);
  }
  const kid = encodeBase64Url(random.subarray(0, KID_BYTES));
  return `${kid} ${encodeBase64Url(random.subarray(KID_BYTES))}`;
}

/** Derives keys from master keys, the newest last; each is derived once. */
export function keyringOf(masterKeys: readonly MasterKey[]): Keyring {
  const newest = masterKeys.at(-1);
  if (newest === undefined) throw new RangeError('A keyring takes at least one master key.');
  const masters = new Map(masterKeys.map((master) => [master.kid, master]));
  const derived = new Map<string, DerivedKey>();
  const derive = (purpose: string, master: MasterKey): DerivedKey => {
    const name = `${master.kid} ${purpose}`;
    const known = derived.get(name);
    if (known !== undefined) return known;
    const key = { kid: master.kid, key: derivedKey(purpose, master.secret) };
    derived.set(name, key);
    return key;
  };
  return {
    newest: (purpose) => derive(purpose, newest),
    all: (purpose) => masterKeys.toReversed().map((master) => derive(purpose, master)),
    find: (purpose, kid) => {
      const master = masters.get(kid);
      return master === undefined ? undefined : derive(purpose, master);
    },
  };
}

/**
 * Encrypts `text` with AES-256-GCM: `v1.<kid>.<nonce>.<ciphertext and tag>`. `place` names the
 * table and row, so that a ciphertext moved elsewhere does not open. `nonce` is 12 fresh random
 * bytes.
 */
export function sealText(
  keyring: Keyring,
  plain: {
    readonly purpose: string;
    readonly place: string;
    readonly text: string;
    readonly nonce: Uint8Array;
  },
): string {
  const { kid, key } = keyring.newest(plain.purpose);
  if (plain.nonce.length !== SEAL_NONCE_BYTES) throw new RangeError('A seal takes 12 nonce bytes.');
  const cipher = createCipheriv('aes-256-gcm', key, plain.nonce);
  cipher.setAAD(Buffer.from(plain.place, 'utf8'));
  const sealed = Buffer.concat([
    cipher.update(plain.text, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return `v1.${kid}.${encodeBase64Url(plain.nonce)}.${encodeBase64Url(sealed)}`;
}

/**
 * Decrypts what `sealText` made; `undefined` when it was changed, moved, or sealed under a master
 * key that is not held.
 */
export function openText(
  keyring: Keyring,
  box: { readonly purpose: string; readonly place: string; readonly sealed: string },
): string | undefined {
  const [version, kid, nonceText, sealedText, ...rest] = box.sealed.split('.');
  if (version !== 'v1' || kid === undefined || rest.length > 0) return undefined;
  const nonce = decodeBase64Url(nonceText ?? '');
  const sealed = decodeBase64Url(sealedText ?? '');
  const derived = keyring.find(box.purpose, kid);
  if (derived === undefined || nonce?.length !== SEAL_NONCE_BYTES) return undefined;
  if (sealed === undefined || sealed.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', derived.key, nonce, {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(box.place, 'utf8'));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const text = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    // `final` throws when the tag does not fit, and for nothing else.
    return undefined;
  }
}

function parseLine(line: string): MasterKey | undefined {
  const match = /^\s*([A-Za-z0-9_-]{1,32})\s+([A-Za-z0-9_-]{43})\s*$/.exec(line);
  const kid = match?.[1];
  const secret = decodeBase64Url(match?.[2] ?? '');
  if (kid === undefined || secret?.length !== SECRET_BYTES) return undefined;
  return { kid, secret };
}

function derivedKey(purpose: string, secret: Uint8Array): KeyObject {
  const bytes = hkdfSync('sha256', secret, '', `pinfold/v1/${purpose}`, SECRET_BYTES);
  return createSecretKey(new Uint8Array(bytes));
}
