/** Small XML bodies: gathered up to a limit, held to their digests, read. */

import { createHash } from 'node:crypto';
import { limitKey } from '../../../core/ids.ts';
import { overloaded } from '../../../core/overloaded.ts';
import { formatChecksumValue } from '../../../kit/checksums/checksum-value.ts';
import { openChecksum, prepareChecksums } from '../../../kit/checksums/open-checksum.ts';
import { ChunkList } from '../../../kit/chunk-list.ts';
import type { RoomShare } from '../../../kit/shared-room.ts';
import { readXmlInTurns } from '../../../kit/xml/read-xml.ts';
import type { XmlElement } from '../../../kit/xml/xml-element.ts';
import { requestBody } from '../../../server/bodies/request-body.ts';
import type { Caller, Payload } from '../access/caller.ts';
import type { OperationName } from '../operations/operation-table.ts';
import { requireKnownElements } from '../parameters/require-known-elements.ts';
import { contentMd5, documentChecksum } from './checksum-headers.ts';
import type { Exchange } from './exchange.ts';
import { S3Refusal } from './s3-refusal.ts';

export const XML_BYTES_MAX = 1024 * 1024;
/** A thousand keys of 1,024 bytes, every byte a reference; ten thousand parts with checksums. */
export const LONG_XML_BYTES_MAX = 8 * 1024 * 1024;

type Digested = {
  readonly isDigestRequired?: boolean;
  /** False where a checksum in the headers is of something else. */
  readonly isChecksumOfBody?: boolean;
};
type Body = Pick<Exchange, 'request' | 'head' | 'sendContinue' | 'shell'> & {
  readonly operation: OperationName;
  readonly caller: Caller;
};

/** The document's root; throws `MissingRequestBodyError` when there is none. */
export async function readXmlBody(
  exchange: Body,
  sizeBytesMax: number,
  options: Digested = {},
): Promise<XmlElement> {
  const root = await findXmlBody(exchange, sizeBytesMax, options);
  if (root === undefined) throw new S3Refusal('MissingRequestBodyError');
  return root;
}

/**
 * The root, or `undefined` for an empty body. Throws `MalformedXML`, `MaxMessageLengthExceeded`,
 * `NotImplemented` for an element that the operation does not take, `BadDigest`, `InvalidDigest`,
 * `XAmzContentSHA256Mismatch`, `InvalidRequest`, `SlowDown` when too much is being gathered.
 */
export async function findXmlBody(
  exchange: Body,
  sizeBytesMax: number,
  options: Digested = {},
): Promise<XmlElement | undefined> {
  const { head, caller } = exchange;
  const md5 = contentMd5(head.headers);
  const isOfBody = options.isChecksumOfBody !== false;
  const checksum = isOfBody ? documentChecksum(head.headers) : undefined;
  if (options.isDigestRequired === true && md5 === undefined && checksum === undefined) {
    throw new S3Refusal(
      'InvalidRequest',
      'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    );
  }
  const share = exchange.shell.memory.open(ownerOf(exchange));
  try {
    if (checksum !== undefined) await prepareChecksums([checksum.algorithm]);
    const digests = openDigests({ payload: caller.payload, md5, checksum });
    const bytes = await gather(exchange, sizeBytesMax, { share, digests });
    digests.require();
    if (bytes.length === 0) return undefined;
    const root = await readXmlInTurns(bytes, { sizeBytesMax });
    requireKnownElements(exchange.operation, root);
    return root;
  } finally {
    share.end();
  }
}

type Digests = {
  readonly update: (chunk: Uint8Array) => void;
  /** Once all has come. Throws `XAmzContentSHA256Mismatch`, `BadDigest`. */
  readonly require: () => void;
};

/** Digests as the bytes come: over all of a large document at once they would hold up others. */
function openDigests(said: {
  readonly payload: Payload;
  readonly md5: string | undefined;
  readonly checksum: ReturnType<typeof documentChecksum>;
}): Digests {
  const { payload, md5, checksum } = said;
  const sha256 = payload.kind === 'hashed' ? createHash('sha256') : undefined;
  const md5Hash = md5 === undefined ? undefined : createHash('md5');
  const sum = checksum === undefined ? undefined : openChecksum(checksum.algorithm);
  return {
    update: (chunk) => {
      sha256?.update(chunk);
      md5Hash?.update(chunk);
      sum?.update(chunk);
    },
    require: () => {
      if (payload.kind === 'hashed' && sha256?.digest('hex') !== payload.sha256) {
        throw new S3Refusal('XAmzContentSHA256Mismatch');
      }
      if (md5Hash?.digest('hex') !== md5) throw new S3Refusal('BadDigest');
      const value = sum && formatChecksumValue(sum.digest());
      if (value !== checksum?.value) throw new S3Refusal('BadDigest');
    },
  };
}

function ownerOf({ caller, shell, request }: Body): string {
  return caller.principal?.accountId ?? limitKey({ address: shell.clients.of(request) });
}

async function gather(
  { request, sendContinue, shell }: Body,
  sizeBytesMax: number,
  { share, digests }: { readonly share: RoomShare; readonly digests: Digests },
): Promise<Buffer> {
  const source = requestBody(request, shell.watch);
  if ((source.declaredBytes ?? 0) > sizeBytesMax) throw tooLong(sizeBytesMax);
  sendContinue();
  const gathered = new ChunkList();
  await source.pipeTo((chunk) => {
    if (gathered.sizeBytes + chunk.byteLength > sizeBytesMax) throw tooLong(sizeBytesMax);
    if (!share.take(chunk.byteLength)) throw overloaded();
    digests.update(chunk);
    gathered.push(Buffer.from(chunk));
    return undefined;
  });
  return Buffer.concat(gathered.take());
}

function tooLong(sizeBytesMax: number): S3Refusal {
  return new S3Refusal('MaxMessageLengthExceeded', undefined, {
    MaxMessageLengthBytes: sizeBytesMax,
  });
}
