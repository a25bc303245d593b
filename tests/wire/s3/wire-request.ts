/** Requests to S3 as bytes: signed as a client would, then changed, and sent as they are. */
import assert from 'node:assert/strict';
import { createHmac, hash } from 'node:crypto';
import type { ChunkSignatures } from '../../../src/kit/aws-chunked/aws-chunked-decoder.ts';
import { formatAmzDate } from '../../../src/kit/sigv4/amz-date.ts';
import { signRequest } from '../../../src/kit/sigv4/sign-request.ts';
import { type Answer, openSocket, parseAnswer, readToEnd } from '../http-client.ts';
import { assertS3Error, REGION, type S3Holder } from './start-s3.ts';

export type Header = readonly [name: string, value: string];

/** A request as it will stand on the wire; texts are latin1. */
export type Message = {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Uint8Array;
  readonly version: string;
};

/** A message, and what signatures of the chunks of its body go on from. */
export type SignedMessage = Message & { readonly chain: ChunkSignatures };

export type ToSign = {
  /** `GET /bucket/key?list-type=2` */
  readonly route: string;
  /** Signed, after `host`. */
  readonly headers?: readonly Header[];
  readonly body?: string | Uint8Array;
  /** SHA-256 of the body unless it says otherwise. */
  readonly payloadHash?: string;
  /** By how much the signer's clock is ahead. */
  readonly aheadMs?: number;
  readonly region?: string;
  readonly service?: string;
};

type Who = Pick<S3Holder, 'accessKeyId' | 'secret'>;

/** Signs a request of `who`; it asks for its connection to be closed. */
export function signed(who: Who, wanted: ToSign): SignedMessage {
  const { aheadMs = 0, region = REGION, service = 's3' } = wanted;
  const { method, target } = splitRoute(wanted.route);
  const body = Buffer.from(wanted.body ?? '');
  const mark = `${target}?`.indexOf('?');
  const { rawHeaders, signature, signingKey, amzDate, scope } = signRequest(
    { accessKeyId: who.accessKeyId, secret: who.secret, region, service },
    {
      method,
      rawPath: target.slice(0, mark),
      rawQuery: target.slice(mark + 1),
      rawHeaders: [['host', HOST] as const, ...(wanted.headers ?? [])].flat(),
      payloadHash: wanted.payloadHash ?? hash('sha256', body, 'hex'),
    },
    { atMs: Date.now() + aheadMs },
  );
  const headers = pairsOf(rawHeaders);
  return {
    ...unsigned(wanted),
    headers: [...headers, ...framing(method, body)],
    chain: { signingKey, amzDate, scope, seed: signature },
  };
}

/** A request of nobody. */
export function unsigned(wanted: Pick<ToSign, 'route' | 'headers' | 'body'>): Message {
  const { method, target } = splitRoute(wanted.route);
  const body = Buffer.from(wanted.body ?? '');
  const headers: readonly Header[] = [
    ['host', HOST],
    ...(wanted.headers ?? []),
    ...framing(method, body),
  ];
  return { method, target, headers, body, version: 'HTTP/1.1' };
}

/**
 * A request whose canonical form a test wrote itself; it has just the headers that are given. What
 * the server computes is held against the specification so, not against its own kit.
 */
export function signedByHand(
  who: Who,
  wanted: Pick<ToSign, 'route' | 'headers' | 'body'> & {
    readonly canonical: readonly string[];
    readonly atMs?: number;
  },
): Message {
  const amzDate = formatAmzDate(wanted.atMs ?? Date.now());
  const signature = signByHand(who, amzDate, wanted.canonical);
  const names = wanted.canonical.at(-2) ?? '';
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${who.accessKeyId}/${scopeOf(amzDate)}, ` +
    `SignedHeaders=${names}, Signature=${signature}`;
  return withHeaders(unsigned(wanted), { authorization });
}

/** The signature of a canonical request in its lines, by Node's HMAC. */
export function signByHand(who: Who, amzDate: string, canonical: readonly string[]): string {
  const scope = scopeOf(amzDate);
  const digest = hash('sha256', Buffer.from(canonical.join('\n'), 'latin1'), 'hex');
  const text = `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${digest}`;
  const hmac = (key: Uint8Array | string, part: string) =>
    createHmac('sha256', key).update(part).digest();
  const key = scope.split('/').reduce<Uint8Array | string>(hmac, `AWS4${who.secret}`);
  return createHmac('sha256', key).update(text).digest('hex');
}

export function scopeOf(amzDate: string): string {
  return `${amzDate.slice(0, 8)}/${REGION}/s3/aws4_request`;
}

/** Whatever it is: a signature is checked against the name that a client used. */
export const HOST = 's3.test';

function splitRoute(route: string): { readonly method: string; readonly target: string } {
  const at = route.indexOf(' ');
  return { method: route.slice(0, at), target: route.slice(at + 1) };
}

function framing(method: string, body: Uint8Array): readonly Header[] {
  const isWriting = method === 'PUT' || method === 'POST' || body.length > 0;
  const length: readonly Header[] = isWriting ? [['content-length', `${body.length}`]] : [];
  return [...length, ['connection', 'close']];
}

function pairsOf(flat: readonly string[]): readonly Header[] {
  return flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : []));
}

/** The message with other values of headers; `undefined` takes one away, an unknown is added. */
export function withHeaders(
  message: Message,
  changes: Readonly<Record<string, string | undefined>>,
): Message {
  const kept = message.headers.filter(([name]) => !(name.toLowerCase() in changes));
  const added = Object.entries(changes).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return { ...message, headers: [...kept, ...added] };
}

/** The message with another body, and its length. */
export function withBody(message: Message, body: string | Uint8Array): Message {
  const bytes = Buffer.from(body);
  return { ...withHeaders(message, { 'content-length': `${bytes.length}` }), body: bytes };
}

export function headerOf({ headers }: Message, wanted: string): string {
  const value = headers.find(([name]) => name.toLowerCase() === wanted)?.[1];
  assert(value !== undefined, wanted);
  return value;
}

export function headOf({ method, target, version, headers }: Message): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`${method} ${target} ${version}\r\n${lines}\r\n`, 'latin1');
}

/** Sends a message on a connection of its own and reads until the server closes it. */
export async function deliver(endpoint: string, message: Message): Promise<Answer> {
  const socket = await openSocket(endpoint);
  const reading = readToEnd(socket);
  socket.write(Buffer.concat([headOf(message), message.body]));
  const text = await reading;
  socket.destroy();
  return parseAnswer(text);
}

/** An error document, with what clients read in it beside its code. */
export function assertFacts(
  answer: Answer,
  status: number,
  code: string,
  facts: Readonly<Record<string, string | RegExp>> = {},
): void {
  assertS3Error(answer, status, code);
  for (const [name, expected] of Object.entries(facts)) {
    const found = factOf(answer, name);
    if (typeof expected === 'string') assert.equal(found, expected, `${name} in ${answer.text}`);
    else assert.match(found ?? '', expected, `${name} in ${answer.text}`);
  }
}

/** The text of an element of an answer, its references read. */
export function factOf({ text }: Pick<Answer, 'text'>, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`)
    .exec(text)?.[1]
    ?.replaceAll(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}

/** The keys in the holder's bucket. */
export async function keysOf({ raw, bucket }: S3Holder): Promise<readonly string[]> {
  const { text } = await raw.expectDone({ method: 'GET', bucket, query: [['list-type', '2']] });
  return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
}
