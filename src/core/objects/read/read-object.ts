/**
 * Reading an object: one metadata read, conditions and range decided before any bytes are opened,
 * then blob store → sink. Whoever gets a reading closes it.
 */
import { isServiceError, ServiceError } from '../../errors.ts';
import type { BlobReader, BlobRef, BlobStore, ByteSink, ByteSpan } from '../../ports/blob-store.ts';
import { checkReadConditions, isRangeCurrent, type ReadConditions } from '../commit/condition.ts';
import type { ContentPart, StoredObject } from '../object.ts';
import { resolvePart } from './object-parts.ts';
import { type ResolvedRange, resolveRange } from './range.ts';

/** Enough to keep the disk busy. */
const OPENED_AT_ONCE = 16;

export type ReadRequest = {
  readonly conditions: ReadConditions;
  /** The `Range` field as it came. */
  readonly range: string | undefined;
  /** One part of a multipart object, from 1, instead of a range. */
  readonly partNumber?: number | undefined;
  /** The `If-Range` field as it came. */
  readonly ifRange?: string | undefined;
};

/**
 * An object as it will be answered: nothing (the reader's copy is good), or a span of its bytes.
 */
export type ObjectView =
  | { readonly kind: 'fresh'; readonly object: StoredObject }
  | ({ readonly kind: 'content'; readonly object: StoredObject } & ResolvedRange);

/**
 * Decides without touching bytes. Throws `precondition_failed`, `range_not_satisfiable`,
 * `part_not_found`.
 */
export function viewObject(object: StoredObject, request: ReadRequest): ObjectView {
  if (checkReadConditions(request.conditions, object) === 'fresh') return { kind: 'fresh', object };
  const { partNumber } = request;
  if (partNumber !== undefined)
    return { kind: 'content', object, ...resolvePart(object, partNumber) };
  const range = isRangeCurrent(request.ifRange, object) ? request.range : undefined;
  return { kind: 'content', object, ...resolveRange(range, object.sizeBytes) };
}

/** An open object; `send` may be called once. */
export type ObjectReading = {
  readonly object: StoredObject;
  readonly span: ByteSpan;
  readonly isPartial: boolean;
  /** Throws `corrupt`, `aborted`; what was sent before was good. */
  readonly send: (sink: ByteSink, options?: { readonly signal?: AbortSignal }) => Promise<void>;
  readonly close: () => Promise<void>;
};

/**
 * Finds and opens an object. `find` is asked again when the bytes were gone in between: a replaced
 * object is then read in its new form, a deleted one is not found. Bytes that are missing while
 * their row stays as it was are `corrupt`.
 */
export async function openObject(
  deps: { readonly blobs: Pick<BlobStore, 'open'> },
  find: () => Promise<StoredObject | undefined>,
  request: ReadRequest,
): Promise<
  | { readonly kind: 'fresh'; readonly object: StoredObject }
  | ({ readonly kind: 'content' } & ObjectReading)
> {
  let missing: string | undefined;
  for (;;) {
    const object = await find();
    if (object === undefined) throw objectNotFound();
    const view = viewObject(object, request);
    if (view.kind === 'fresh') return view;
    try {
      return { kind: 'content', ...(await openView(deps, view)) };
    } catch (error) {
      if (!isServiceError(error, 'object_not_found')) throw error;
      const places = placesOf(object);
      if (places === missing) {
        throw new ServiceError('corrupt', 'Bytes that a row names are missing.', { cause: error });
      }
      missing = places;
    }
  }
}

function placesOf({ content }: StoredObject): string {
  return content.map(({ blob }) => `${blob.blobId}@${blob.location}`).join();
}

export function objectNotFound(): ServiceError {
  return new ServiceError('object_not_found', 'There is no such object.');
}

async function openView(
  deps: { readonly blobs: Pick<BlobStore, 'open'> },
  view: ObjectView & { readonly kind: 'content' },
): Promise<ObjectReading> {
  const { object, span, isPartial } = view;
  const pieces = piecesOf(object.content, span);
  const readers: BlobReader[] = [];
  const close = async () => {
    for (const reader of readers) await reader.close();
  };
  try {
    // All are leased before the first byte goes out, so that none can vanish under the answer.
    const [first, ...rest] = pieces;
    if (first !== undefined) readers.push(await deps.blobs.open(first.part.blob));
    await openAll(
      deps,
      rest.map(({ part }) => part.blob),
      readers,
    );
  } catch (error) {
    await close();
    throw error;
  }
  const send: ObjectReading['send'] = async (sink, options) => {
    for (const [index, piece] of pieces.entries()) {
      await readers[index]?.read(piece.span, sink, options);
    }
  };
  return { object, span, isPartial, send, close };
}

/** Of ten thousand parts each file takes a moment; adds what it opened also when it throws. */
async function openAll(
  deps: { readonly blobs: Pick<BlobStore, 'open'> },
  blobs: readonly BlobRef[],
  readers: BlobReader[],
): Promise<void> {
  for (let rest = blobs; rest.length > 0; rest = rest.slice(OPENED_AT_ONCE)) {
    const some = rest.slice(0, OPENED_AT_ONCE);
    const opened = await Promise.allSettled(some.map((blob) => deps.blobs.open(blob)));
    for (const each of opened) if (each.status === 'fulfilled') readers.push(each.value);
    for (const each of opened) if (each.status === 'rejected') throw each.reason;
  }
}

/** The parts of `content` that `span` touches, each with its own span. */
export function piecesOf(
  content: readonly ContentPart[],
  span: ByteSpan,
): readonly { readonly part: ContentPart; readonly span: ByteSpan }[] {
  const pieces: { part: ContentPart; span: ByteSpan }[] = [];
  let offset = 0;
  for (const part of content) {
    const start = Math.max(span.start - offset, 0);
    const end = Math.min(span.end - offset, part.sizeBytes);
    if (start < end) pieces.push({ part, span: { start, end } });
    offset += part.sizeBytes;
  }
  return pieces;
}
