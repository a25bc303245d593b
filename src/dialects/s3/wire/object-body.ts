/** The body of an object or a part as a source of its bytes, whatever frame they come in. */
import { ServiceError } from '../../../core/errors.ts';
import type { ByteSink } from '../../../core/ports/blob-store.ts';
import type { ByteSource } from '../../../core/ports/byte-source.ts';
import { AwsChunkedDecoder } from '../../../kit/aws-chunked/aws-chunked-decoder.ts';
import { AwsChunkedError } from '../../../kit/aws-chunked/aws-chunked-error.ts';
import { requestBody } from '../../../server/bodies/request-body.ts';
import type { Caller } from '../access/caller.ts';
import type { Exchange } from './exchange.ts';
import type { RequestHead } from './request-head.ts';
import { invalidArgument, S3Refusal } from './s3-refusal.ts';

type Sent = Pick<Exchange, 'request' | 'head' | 'shell'> & { readonly caller: Caller };

/** The most that one PUT may carry. */
export const PUT_BYTES_MAX = 5 * 1024 ** 3;

export type ObjectBody = {
  readonly source: ByteSource;
  /** What came behind a chunked body; empty until it has ended. */
  readonly trailers: () => ReadonlyMap<string, string>;
};

/**
 * Throws `MissingContentLength`, `EntityTooLarge`, `InvalidArgument`; the source throws
 * `IncompleteBody`, `MalformedTrailerError` and `SignatureDoesNotMatch`.
 */
export function objectBody(call: Sent): ObjectBody {
  const { head, caller } = call;
  if (caller.payload.kind === 'chunked') return chunkedBody(call);
  const source = requestBody(call.request, call.shell.watch);
  const hasLength = head.headers['content-length'] !== undefined;
  const decodedBytes = decodedLength(head);
  if (hasLength) {
    requireSize(source.declaredBytes ?? 0);
    requireBare(source.declaredBytes, decodedBytes);
    return { source, trailers: noTrailers };
  }
  if (decodedBytes === undefined) throw new S3Refusal('MissingContentLength');
  requireSize(decodedBytes);
  return { source: { ...source, declaredBytes: decodedBytes }, trailers: noTrailers };
}

/** A frame that no payload hash announces would be stored as if it were the object. */
function requireBare(sentBytes: number | undefined, decodedBytes: number | undefined): void {
  if (decodedBytes === undefined || decodedBytes === sentBytes) return;
  throw new S3Refusal(
    'InvalidRequest',
    'x-amz-decoded-content-length is not the length of a body that does not come in chunks.',
  );
}

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();
const noTrailers = () => NO_TRAILERS;

function chunkedBody({ request, head, caller, shell }: Sent): ObjectBody {
  const decodedBytes = decodedLength(head);
  if (decodedBytes === undefined) throw new S3Refusal('MissingContentLength');
  requireSize(decodedBytes);
  const { payload } = caller;
  const decoder = new AwsChunkedDecoder({
    decodedBytes,
    signatures: caller.kind === 'key' && isSigned(payload) ? caller.chain : undefined,
    expectsTrailers: payload.kind === 'chunked' && payload.hasTrailer,
  });
  const outer = requestBody(request, shell.watch);
  // A checksum that nothing announced would be held against nothing.
  const isAnnounced = Boolean(head.headers['x-amz-trailer']?.trim());
  let trailers = NO_TRAILERS;
  const source: ByteSource = {
    declaredBytes: decodedBytes,
    async pipeTo(sink) {
      await translated(async () => {
        await outer.pipeTo((chunk) => {
          const slices: Uint8Array[] = [];
          decoder.push(chunk, (slice) => slices.push(slice));
          return sendSlices(slices, 0, sink);
        });
        trailers = decoder.finish().trailers;
        if (trailers.size > 0 && !isAnnounced) throw new S3Refusal('MalformedTrailerError');
      });
    },
  };
  return { source, trailers: () => trailers };
}

/** One after the other: a sink is not called again before what it answered has resolved. */
function sendSlices(
  slices: readonly Uint8Array[],
  first: number,
  sink: ByteSink,
): Promise<void> | undefined {
  for (let at = first; at < slices.length; at += 1) {
    const slice = slices[at];
    const wait = slice && sink(slice);
    if (wait !== undefined) return wait.then(() => sendSlices(slices, at + 1, sink));
  }
  return undefined;
}

function isSigned(payload: Caller['payload']): boolean {
  return payload.kind === 'chunked' && payload.isSigned;
}

/** `x-amz-decoded-content-length`, which says how many bytes the frame holds. */
function decodedLength({ headers }: RequestHead): number | undefined {
  const text = headers['x-amz-decoded-content-length'];
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) {
    throw invalidArgument(
      'x-amz-decoded-content-length is a number of bytes.',
      'x-amz-decoded-content-length',
      text,
    );
  }
  return Number(text);
}

function requireSize(bytes: number): void {
  if (bytes <= PUT_BYTES_MAX) return;
  throw new S3Refusal('EntityTooLarge', undefined, {
    ProposedSize: bytes,
    MaxSizeAllowed: PUT_BYTES_MAX,
  });
}

async function translated(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof AwsChunkedError)) throw error;
    if (error.kind === 'signature_mismatch') throw new S3Refusal('SignatureDoesNotMatch');
    if (error.kind === 'malformed_trailer') throw new S3Refusal('MalformedTrailerError');
    throw new ServiceError('incomplete_body', error.message, { cause: error });
  }
}
