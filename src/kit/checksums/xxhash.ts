/**
 * The xxHash family, by `hash-wasm`, as S3 writes it: the canonical bytes, big-endian, seed 0.
 *
 * The library makes a hasher only asynchronously, and a body's checksum begins at once: so there is
 * one hasher for each kind, which each stream loads with its own state and saves again (1 µs for a
 * chunk). Loaded with the first request that names one: nobody else pays for it.
 */
import { strict as assert } from 'node:assert';
import type { IHasher } from 'hash-wasm';
import type { ChecksumAlgorithm } from './checksum-algorithms.ts';

export type XxhashAlgorithm = Extract<ChecksumAlgorithm, `XXHASH${string}`>;

type Hashers = Readonly<Record<XxhashAlgorithm, IHasher>>;

/** What is loaded, once for a thread; a cache and no state. */
const cache: { hashers?: Hashers; loading?: Promise<void> } = {};

export function isXxhashAlgorithm(algorithm: ChecksumAlgorithm): algorithm is XxhashAlgorithm {
  return algorithm.startsWith('XXHASH');
}

/** Makes the functions below usable; `undefined` when they are already. */
export function loadXxhash(): Promise<void> | undefined {
  if (cache.hashers !== undefined) return undefined;
  cache.loading ??= load();
  return cache.loading;
}

async function load(): Promise<void> {
  const { createXXHash64, createXXHash3, createXXHash128 } = await import('hash-wasm');
  const [XXHASH64, XXHASH3, XXHASH128] = await Promise.all([
    createXXHash64(),
    createXXHash3(),
    createXXHash128(),
  ]);
  cache.hashers = { XXHASH64, XXHASH3, XXHASH128 };
}

function hasherOf(algorithm: XxhashAlgorithm): IHasher {
  const hasher = cache.hashers?.[algorithm];
  assert(hasher, `${algorithm} is prepared before it is begun`);
  return hasher;
}

/** Of no bytes (the specification's first test vectors): known without the library. */
const OF_NOTHING: Readonly<Record<XxhashAlgorithm, string>> = {
  XXHASH64: 'ef46db3751d8e999',
  XXHASH3: '2d06800538d394c2',
  XXHASH128: '99aa06d3014798d86001c324468d497f',
};

/** The checksum of bytes that are all there. */
export function xxhashOf(algorithm: XxhashAlgorithm, bytes: Uint8Array): Uint8Array {
  if (bytes.length === 0) return Buffer.from(OF_NOTHING[algorithm], 'hex');
  return hasherOf(algorithm).init().update(bytes).digest('binary');
}

/** One that comes in chunks; `digest` may be called once. */
export class OpenXxhash {
  readonly #hasher: IHasher;
  #state: Uint8Array;

  constructor(algorithm: XxhashAlgorithm) {
    this.#hasher = hasherOf(algorithm);
    this.#state = this.#hasher.init().save();
  }

  update(chunk: Uint8Array): void {
    this.#state = this.#hasher.load(this.#state).update(chunk).save();
  }

  digest(): Uint8Array {
    return this.#hasher.load(this.#state).digest('binary');
  }
}
