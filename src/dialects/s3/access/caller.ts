/** Who sent a request, and what its signature says of its body. */
import type { Principal } from '../../../core/principal.ts';
import type { ChunkSigner } from '../../../kit/sigv4/chunk-signature.ts';

/** What `x-amz-content-sha256` says of the body. */
export type Payload =
  | { readonly kind: 'unsigned' }
  /** Lower-case hex. */
  | { readonly kind: 'hashed'; readonly sha256: string }
  | { readonly kind: 'chunked'; readonly isSigned: boolean; readonly hasTrailer: boolean };

export type Caller =
  | { readonly kind: 'anonymous'; readonly principal: undefined; readonly payload: Payload }
  | {
      readonly kind: 'key';
      readonly principal: Principal;
      /** That the client signed with, whatever it calls it. */
      readonly region: string;
      readonly payload: Payload;
      /** What the signatures of chunks go on from. */
      readonly chain: ChunkSigner & { readonly seed: string };
    };
