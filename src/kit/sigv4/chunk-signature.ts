import { EMPTY_SHA256, signature } from './sign.ts';
import type { SigningKey } from './signing-key.ts';

/** What signs the chunks of a body: each signature is made of the one before it. */
export type ChunkSigner = {
  readonly signingKey: SigningKey;
  readonly amzDate: string;
  /** As `formatScope` writes it. */
  readonly scope: string;
};

/** The signature of a chunk; `previous` is that of the chunk before it, or of the request. */
export function chunkSignature(
  { signingKey, amzDate, scope }: ChunkSigner,
  chunk: { readonly previous: string; readonly sha256: string },
): string {
  return signature(
    signingKey,
    `AWS4-HMAC-SHA256-PAYLOAD\n${amzDate}\n${scope}\n${chunk.previous}\n${EMPTY_SHA256}\n${chunk.sha256}`,
  );
}

/** The signature of the trailers; `sha256` is over each `name:value` and a line feed. */
export function trailerSignature(
  { signingKey, amzDate, scope }: ChunkSigner,
  trailers: { readonly previous: string; readonly sha256: string },
): string {
  return signature(
    signingKey,
    `AWS4-HMAC-SHA256-TRAILER\n${amzDate}\n${scope}\n${trailers.previous}\n${trailers.sha256}`,
  );
}
