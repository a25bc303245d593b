/** Digests of object bytes, computed while they pass. */
import { createHash, hash } from 'node:crypto';
import { Blake3Hasher, blake3 } from '@napi-rs/blake-hash';
import { asBuffer } from './buffers.ts';

/** Lower-case hex of MD5 (16 bytes) and BLAKE3-256 (32 bytes). */
export type Digests = { readonly md5: string; readonly blake3: string };

/** Digests of bytes that are all there: a third of the cost of the streaming form at 4 KiB. */
export function digestBytes(bytes: Uint8Array): Digests {
  const buffer = asBuffer(bytes);
  return { md5: hash('md5', buffer, 'hex'), blake3: blake3(buffer).toString('hex') };
}

/** Streaming digests; `finish` may be called once. */
export type Digester = {
  readonly update: (chunk: Uint8Array) => void;
  readonly finish: () => Digests;
};

/** A digester that keeps the first chunk back, so that a body of one chunk takes the short way. */
export function openDigester(): Digester {
  let first: Uint8Array | undefined;
  let streams: { md5: ReturnType<typeof createHash>; blake3: Blake3Hasher } | undefined;
  const feed = (chunk: Uint8Array) => {
    streams ??= { md5: createHash('md5'), blake3: new Blake3Hasher() };
    streams.md5.update(chunk);
    streams.blake3.update(asBuffer(chunk));
  };
  return {
    update: (chunk) => {
      if (first === undefined && streams === undefined) {
        first = chunk;
        return;
      }
      if (first !== undefined) feed(first);
      first = undefined;
      feed(chunk);
    },
    finish: () => {
      if (streams === undefined) return digestBytes(first ?? Buffer.alloc(0));
      return { md5: streams.md5.digest('hex'), blake3: streams.blake3.digest('hex') };
    },
  };
}
