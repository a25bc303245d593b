/** Objects in and out of the gateway by way of a proxy, as clients send and fetch them. */
import { createHash } from 'node:crypto';
import { type Check, type Finding, fails, ok, warns } from './check.ts';
import type { Answered, Outcome } from './exchange.ts';
import { codeOf, isOurs, type S3Probe, type S3Request, sayOutcome } from './s3-probe.ts';

type TransferCheck = Check<S3Probe>;

/** What a proxy would compress if it compresses anything. */
const TEXT = Buffer.from('All that is stored comes back as it was. '.repeat(2000));
/** More than one part of every SDK's default, and than nginx gathers in memory. */
const LARGE = Buffer.alloc(9 * 1024 * 1024, TEXT);

const TEXT_NAME = 'text';
const LARGE_NAME = 'large';
const CHUNKED_NAME = 'chunked';

const META = 'one two';

export const TRANSFER_CHECKS: readonly TransferCheck[] = [
  { name: 'signature', look: lookAtSignature },
  { name: 'upload', look: lookAtUpload },
  // Before the object is read, or a proxy that keeps it would answer by itself.
  { name: 'HEAD', look: lookAtHead },
  { name: 'download', look: lookAtDownload },
  { name: 'caching', look: lookAtCaching },
  { name: 'range', look: lookAtRange },
  { name: 'compression', look: lookAtCompression },
  { name: 'presigned URL', look: lookAtPresigned },
  { name: 'links of boto3', look: lookAtRegion },
  { name: 'error documents', look: lookAtErrors },
  { name: 'chunked upload', look: lookAtChunked },
  { name: 'large upload', look: lookAtLarge },
];

/** Removes what the checks stored; deleting is one of them. */
export const DELETE_CHECK: TransferCheck = { name: 'delete', look: removeAll };

async function lookAtSignature(probe: S3Probe): Promise<Finding> {
  const rawQuery = `list-type=2&max-keys=1&prefix=${encodeURIComponent(probe.subject.prefix)}`;
  const outcome = await probe.send({ method: 'GET', rawQuery });
  if (isDone(outcome)) return ok('a signed request is accepted');
  return fails(
    `a signed request is refused: ${sayOutcome(outcome)}`,
    'The checks of what arrives say what was changed on the way; PINFOLD_S3_PUBLIC_URL must be the address that clients use.',
  );
}

async function lookAtUpload(probe: S3Probe): Promise<Finding> {
  const outcome = await probe.send({
    method: 'PUT',
    rawKey: probe.keyOf(TEXT_NAME),
    headers: { 'Content-Type': 'text/plain', 'x-amz-meta-doctor': META },
    body: TEXT,
  });
  if (isDone(outcome)) return ok(`${TEXT.length} bytes are stored`);
  return failed(outcome, { what: 'a small object is not stored: ', remedy: LET_BODIES });
}

const LET_BODIES =
  'Let the proxy pass on bodies of any size as they come. nginx: client_max_body_size 0 and proxy_request_buffering off.';

async function lookAtDownload(probe: S3Probe): Promise<Finding> {
  const outcome = await probe.send({ method: 'GET', rawKey: probe.keyOf(TEXT_NAME) });
  const remedy = 'Let the proxy pass answers on with their headers, unchanged.';
  if (!isDone(outcome)) return fails(sayOutcome(outcome), remedy);
  if (!outcome.bytes.equals(TEXT)) return fails('other bytes come back', remedy);
  const lost = lostOf(outcome);
  if (lost.length > 0) return fails(`changed on the way back: ${lost.join(', ')}`, remedy);
  return ok('bytes and headers come back as stored');
}

/** A cache knows no signatures, and would give what one may read to everybody. */
async function lookAtCaching(probe: S3Probe): Promise<Finding> {
  const rawKey = probe.keyOf(TEXT_NAME);
  const known = new Set<unknown>();
  for (const ask of [
    () => probe.send({ method: 'GET', rawKey }),
    () => probe.sendAnonymous(rawKey),
  ]) {
    const outcome = await ask();
    if (outcome.kind !== 'answered') return fails(sayOutcome(outcome), NO_CACHE);
    const requestId = outcome.headers['x-amz-request-id'];
    if (requestId !== undefined && known.has(requestId)) {
      return fails('objects are kept and given to whoever asks, without a signature', NO_CACHE);
    }
    known.add(requestId);
  }
  return ok('nothing is kept');
}

const NO_CACHE = 'Let the proxy keep no answers of the gateway. nginx: no proxy_cache.';

/** Headers of an answer that are not as the object has them. */
function lostOf({ headers }: Answered): readonly string[] {
  const etag = `"${createHash('md5').update(TEXT).digest('hex')}"`;
  const expected: Readonly<Record<string, string>> = {
    etag,
    'content-length': `${TEXT.length}`,
    'content-type': 'text/plain',
    'accept-ranges': 'bytes',
    'x-amz-meta-doctor': META,
  };
  return Object.entries(expected).flatMap(([name, value]) =>
    headers[name] === value ? [] : [`${name} (${headers[name] ?? 'lost'})`],
  );
}

async function lookAtHead(probe: S3Probe): Promise<Finding> {
  const outcome = await probe.send({ method: 'HEAD', rawKey: probe.keyOf(TEXT_NAME) });
  const remedy =
    'Let the proxy pass HEAD on as HEAD. nginx: no proxy_cache, or proxy_cache_convert_head off.';
  const isRefused = outcome.kind === 'answered' && outcome.status === 403;
  if (!isDone(outcome)) return fails(`${sayOutcome(outcome)}${isRefused ? TURNED : ''}`, remedy);
  const lost = lostOf(outcome);
  return lost.length === 0
    ? ok('comes back with the length and no body')
    : fails(`changed on the way back: ${lost.join(', ')}`, remedy);
}

/** The method is signed, and an answer to HEAD cannot say what arrived. */
const TURNED = '; it may arrive as another method';

async function lookAtRange(probe: S3Probe): Promise<Finding> {
  const headers = { Range: 'bytes=4-104' };
  const outcome = await probe.send({ method: 'GET', rawKey: probe.keyOf(TEXT_NAME), headers });
  const remedy = 'Let the proxy pass Range on, and the partial answer back.';
  if (!isDone(outcome)) return fails(sayOutcome(outcome), remedy);
  const { status, bytes } = outcome;
  if (status !== 206) return fails(`the whole object comes back, with ${status}`, remedy);
  const isRight =
    bytes.equals(TEXT.subarray(4, 105)) &&
    outcome.headers['content-range'] === `bytes 4-104/${TEXT.length}`;
  return isRight ? ok('the range comes back') : fails('another range comes back', remedy);
}

async function lookAtCompression(probe: S3Probe): Promise<Finding> {
  const rawKey = probe.keyOf(TEXT_NAME);
  const unsigned = ['Accept-Encoding', 'gzip, deflate, br, zstd'];
  const outcome = await probe.send({ method: 'GET', rawKey, unsigned });
  const remedy =
    'Let the proxy compress nothing of the gateway. nginx: gzip off. Caddy: no encode.';
  if (!isDone(outcome)) return fails(sayOutcome(outcome), remedy);
  const { headers } = outcome;
  const coding = headers['content-encoding'];
  if (coding !== undefined) {
    return fails(`answers are compressed (${coding}), and their ETags no longer fit`, remedy);
  }
  const { etag = '' } = headers;
  return etag.startsWith('W/')
    ? fails('the ETag comes back weak', remedy)
    : ok('nothing is compressed');
}

async function lookAtPresigned(probe: S3Probe): Promise<Finding> {
  const outcome = await probe.sendPresigned(probe.keyOf(TEXT_NAME));
  if (isDone(outcome)) return ok('fetches the object');
  return fails(sayOutcome(outcome), 'Let the proxy pass the query on as it came.');
}

/** The regions that are older than Signature Version 4, as botocore's table has them. */
const OLD_REGIONS: ReadonlySet<string> = new Set([
  ...['us-east-1', 'us-west-1', 'us-west-2', 'eu-west-1', 'sa-east-1'],
  ...['ap-northeast-1', 'ap-southeast-1', 'ap-southeast-2'],
]);

/** boto3 and what stands on it sign links by version 2 in old regions, whatever the server is. */
async function lookAtRegion({ subject: { region } }: S3Probe): Promise<Finding> {
  if (!OLD_REGIONS.has(region)) return ok(`are signed by version 4 in the region ${region}`);
  return warns(
    `in the region ${region} boto3, AWS CLI v1 and django-storages sign links by version 2, which is refused`,
    'Set signature_version s3v4 in these clients, or PINFOLD_REGION=auto and auto in them.',
  );
}

async function lookAtErrors(probe: S3Probe): Promise<Finding> {
  const outcome = await probe.send({ method: 'GET', rawKey: probe.keyOf('absent') });
  const remedy =
    'Let the proxy pass error answers on. nginx: proxy_intercept_errors off and no error_page.';
  if (outcome.kind !== 'answered') return fails(sayOutcome(outcome), remedy);
  const isWhole = outcome.status === 404 && outcome.bytes.includes('<Code>NoSuchKey</Code>');
  return isWhole ? ok('come back as sent') : fails(sayOutcome(outcome), remedy);
}

/** As SDKs send bodies over TLS: chunks within HTTP's own chunks, and no length. */
async function lookAtChunked(probe: S3Probe): Promise<Finding> {
  const rawKey = probe.keyOf(CHUNKED_NAME);
  const framed = [`${TEXT.length.toString(16)}\r\n`, TEXT, '\r\n0\r\n\r\n'];
  const request: S3Request = {
    method: 'PUT',
    rawKey,
    headers: {
      'Content-Encoding': 'aws-chunked',
      'x-amz-decoded-content-length': `${TEXT.length}`,
    },
    unsigned: ['Transfer-Encoding', 'chunked'],
    body: Buffer.concat(framed.map((piece) => Buffer.from(piece))),
    payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  };
  const remedy =
    'Let the proxy pass on bodies of unknown length. nginx: proxy_http_version 1.1 and proxy_request_buffering off.';
  const outcome = await probe.send(request);
  if (!isDone(outcome)) return failed(outcome, { what: '', remedy });
  const back = await probe.send({ method: 'GET', rawKey });
  const isWhole = isDone(back) && back.bytes.equals(TEXT);
  return isWhole ? ok('is stored as sent') : fails('other bytes are stored', remedy);
}

async function lookAtLarge(probe: S3Probe): Promise<Finding> {
  const rawKey = probe.keyOf(LARGE_NAME);
  const outcome = await probe.send({ method: 'PUT', rawKey, body: LARGE });
  if (!isDone(outcome))
    return failed(outcome, { what: '9 MiB are not stored: ', remedy: LET_BODIES });
  const back = await probe.send({ method: 'GET', rawKey });
  if (isDone(back) && back.bytes.equals(LARGE)) return ok('9 MiB go in and come back');
  return fails(`9 MiB do not come back: ${sayOutcome(back)}`, 'Look at the proxy for limits.');
}

async function removeAll(probe: S3Probe): Promise<Finding> {
  const left: string[] = [];
  let says = '';
  for (const name of [TEXT_NAME, CHUNKED_NAME, LARGE_NAME]) {
    const outcome = await probe.send({ method: 'DELETE', rawKey: probe.keyOf(name) });
    if (isDone(outcome)) continue;
    left.push(`${probe.subject.prefix}${name}`);
    says = sayOutcome(outcome);
  }
  if (left.length === 0) return ok('what was stored is removed');
  return fails(
    `${says}; in bucket ${probe.subject.bucket} may be left: ${left.join(', ')}`,
    'Let the proxy pass DELETE on, and remove these objects.',
  );
}

/** Refusals of the gateway that no proxy brings about. */
const OWN_CODES = [
  'AccountProblem',
  'InsufficientStorage',
  'InternalError',
  'QuotaExceeded',
  'ServiceUnavailable',
  'SlowDown',
];

function failed(
  outcome: Outcome,
  { what, remedy }: { readonly what: string; readonly remedy: string },
): Finding {
  const says = `${what}${sayOutcome(outcome)}`;
  const code = outcome.kind === 'answered' && isOurs(outcome) ? codeOf(outcome) : undefined;
  const isOwn = code !== undefined && OWN_CODES.includes(code);
  return fails(says, isOwn ? 'Look at the account and at the server: this is no proxy.' : remedy);
}

/** Whether the gateway itself answered that it is done. */
function isDone(outcome: Outcome): outcome is Answered {
  return outcome.kind === 'answered' && outcome.status < 300 && isOurs(outcome);
}
