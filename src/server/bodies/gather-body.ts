/** A small body as one buffer, in the memory that all small bodies share. */
import { ServiceError } from '../../core/errors.ts';
import { overloaded } from '../../core/overloaded.ts';
import type { ByteSource } from '../../core/ports/byte-source.ts';
import { ChunkList } from '../../kit/chunk-list.ts';
import type { RoomShare } from '../../kit/shared-room.ts';

/**
 * Gathers `source`; its bytes are of `share`, which the caller ends when it needs them no more.
 * Throws `body_too_large`, `overloaded` when too much is being gathered already, and what the
 * source throws.
 */
export async function gatherBody(
  source: ByteSource,
  { sizeBytesMax, share }: { readonly sizeBytesMax: number; readonly share: RoomShare },
): Promise<Buffer> {
  if ((source.declaredBytes ?? 0) > sizeBytesMax) throw tooLarge(sizeBytesMax);
  const gathered = new ChunkList();
  await source.pipeTo((chunk) => {
    if (gathered.sizeBytes + chunk.byteLength > sizeBytesMax) throw tooLarge(sizeBytesMax);
    if (!share.take(chunk.byteLength)) throw overloaded();
    gathered.push(Buffer.from(chunk));
    return undefined;
  });
  return Buffer.concat(gathered.take());
}

function tooLarge(sizeBytesMax: number): ServiceError {
  return new ServiceError('body_too_large', `The body has at most ${sizeBytesMax} bytes.`);
}
