/** Bodies in aws-chunked framing, as clients write them. */
import { hash } from 'node:crypto';
import type { ChunkSignatures } from '../../src/kit/aws-chunked/aws-chunked-decoder.ts';
import { chunkSignature, trailerSignature } from '../../src/kit/sigv4/chunk-signature.ts';

export type AwsChunkedBody = {
  /** None may be empty: an empty chunk is the last, which is added. */
  readonly chunks: readonly Uint8Array[];
  readonly signatures?: ChunkSignatures | undefined;
  readonly trailers?: readonly (readonly [name: string, value: string])[];
  /** minio-go ends trailers by LF and writes an empty line before their signature. */
  readonly writer?: 'sdk' | 'minio';
};

/** Frames a body, and signs its chunks and trailers when it is told with what. */
export function encodeAwsChunked(body: AwsChunkedBody): Buffer {
  const { signatures, trailers = [] } = body;
  const pieces: (Uint8Array | string)[] = [];
  let previous = signatures?.seed ?? '';
  for (const chunk of [...body.chunks, Buffer.alloc(0)]) {
    const length = chunk.length.toString(16);
    if (signatures === undefined) pieces.push(`${length}\r\n`);
    else {
      previous = chunkSignature(signatures, { previous, sha256: hash('sha256', chunk, 'hex') });
      pieces.push(`${length};chunk-signature=${previous}\r\n`);
    }
    if (chunk.length > 0) pieces.push(chunk, '\r\n');
  }
  const lineEnd = body.writer === 'minio' ? '\n' : '\r\n';
  for (const [name, value] of trailers) pieces.push(`${name}:${value}${lineEnd}`);
  if (trailers.length > 0 && body.writer === 'minio') pieces.push('\r\n');
  if (trailers.length > 0 && signatures !== undefined) {
    const text = trailers.map(([name, value]) => `${name}:${value}\n`).join('');
    const signed = trailerSignature(signatures, { previous, sha256: hash('sha256', text, 'hex') });
    pieces.push(`x-amz-trailer-signature:${signed}\r\n`);
  }
  pieces.push('\r\n');
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece)));
}
