/** A part out of bytes that are here already: staged anew, by the way of every part. */
import { ServiceError } from '../../errors.ts';
import type { PartNumber } from '../../ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import type { ReadConditions } from '../commit/condition.ts';
import type { StoredObject } from '../object.ts';
import { type ObjectReading, openObject } from '../read/read-object.ts';
import type { UploadAddress } from './upload.ts';
import { type PartDeps, type UploadedPart, uploadPart } from './upload-part.ts';

export type CopyPartDeps = PartDeps & { readonly blobs: Pick<BlobStore, 'open'> };

export type PartCopy = {
  readonly address: UploadAddress;
  readonly partNumber: PartNumber;
  /** The source; the caller has made sure that it may be read. */
  readonly find: () => Promise<StoredObject | undefined>;
  readonly conditions: ReadConditions;
  /** First and last byte; `undefined`: all. */
  readonly range: { readonly first: number; readonly last: number } | undefined;
};

/**
 * Copies bytes of an object into a part. Throws `object_not_found`, `precondition_failed` (also
 * where a reader would hear that its copy is good), `range_not_satisfiable` for a range that is not
 * wholly within the source, and what `uploadPart` throws.
 */
export async function copyPart(
  deps: CopyPartDeps,
  { address, partNumber, find, conditions, range }: PartCopy,
  options: { readonly signal?: AbortSignal } = {},
): Promise<UploadedPart> {
  const text = range && `bytes=${range.first}-${range.last}`;
  const opened = await openObject(deps, find, { conditions, range: text });
  if (opened.kind === 'fresh') {
    throw new ServiceError('precondition_failed', 'The source has not changed.', {
      details: { condition: 'x-amz-copy-source-If-None-Match' },
    });
  }
  try {
    if (range !== undefined) requireWhole(opened, range);
    const body = sourceOf(opened, options.signal);
    return await uploadPart(deps, { address, partNumber, body, usage: undefined, from: 'copy' });
  } finally {
    await opened.close();
  }
}

/** Readers get what there is of a range; a copy takes all of it or nothing. */
function requireWhole(
  { object, span }: ObjectReading,
  { first, last }: NonNullable<PartCopy['range']>,
): void {
  if (span.start === first && span.end === last + 1) return;
  throw new ServiceError('range_not_satisfiable', 'The range is not within the source.', {
    details: { size_bytes: object.sizeBytes },
  });
}

function sourceOf({ span, send }: ObjectReading, signal: AbortSignal | undefined): ByteSource {
  return {
    declaredBytes: span.end - span.start,
    // The reader goes on with its buffer once the answer resolves, and the writer keeps its bytes.
    pipeTo: (sink) => send((chunk) => sink(Buffer.from(chunk)), signal ? { signal } : {}),
  };
}
