/**
 * One request as it is, on a connection of its own: raw path, raw headers, a body that may be held
 * back, and what came of it. Redirects are not followed and nothing is tried again.
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Clock } from '../../core/ports/clock.ts';
import { request as httpRequest, tlsRequest as httpsRequest } from '../../kit/node-http.ts';

export type Site = {
  /** `https://s3.example.org`: no slash at its end. */
  readonly origin: string;
  /** Authorities that vouch for it, in PEM; `undefined` when nobody does and it is asked anyway. */
  readonly authorities: readonly string[] | undefined;
  readonly clock: Pick<Clock, 'now' | 'after'>;
};

export type RawRequest = {
  readonly method: string;
  /** Path and query as they stand on the request line. */
  readonly path: string;
  /** A flat list of names and values, `Host` among them. */
  readonly headers: readonly string[];
  readonly body?: Uint8Array;
  /**
   * `announce`: the body is never sent, only its length said. `hold`: its last byte is held back
   * until there is an answer, or none came for a while.
   */
  readonly how?: 'send' | 'announce' | 'hold';
};

export type Answered = {
  readonly kind: 'answered';
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: Buffer;
  /** Whether `100 Continue` came before. */
  readonly isContinued: boolean;
  /** Whether the answer came while a part of the body was held back. */
  readonly isEarly: boolean;
};

/** `continued`: `100 Continue` came for a body that was only announced. */
export type Outcome =
  | Answered
  | { readonly kind: 'continued' }
  | { readonly kind: 'broken'; readonly says: string };

/** Nothing moves for so long: nobody answers any more. */
const IDLE_MS_MAX = 20_000;
/** How long an answer to a held body is waited for. */
const HOLD_MS = 3000;
/** More than the largest object that is read back. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** Never rejects: whatever goes wrong is what is being looked for. */
export async function exchange(site: Site, raw: RawRequest): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const sent = open(site, raw);
  let isContinued = false;
  let isWhole = false;
  const broken = (error: Error) => resolve({ kind: 'broken', says: wordsOf(error) });
  sent.on('error', broken);
  sent.on('timeout', () => sent.destroy(new Error('nothing came back')));
  sent.on('continue', () => {
    isContinued = true;
    if (raw.how !== 'announce') return;
    resolve({ kind: 'continued' });
    sent.destroy();
  });
  sent.on('response', (response) => {
    const isEarly = !isWhole;
    gather(response).then((bytes) => {
      const { statusCode: status = 0, headers } = response;
      resolve({ kind: 'answered', status, headers, bytes, isContinued, isEarly });
    }, broken);
  });
  const cancel = send(site, sent, raw, () => {
    isWhole = true;
  });
  const outcome = await promise;
  cancel();
  // What was held back or is still under way is nobody's any more.
  sent.destroy();
  return outcome;
}

function open({ origin, authorities }: Site, raw: RawRequest): ClientRequest {
  const { protocol, hostname, port } = new URL(origin);
  const options = {
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port,
    method: raw.method,
    path: raw.path,
    headers: [...raw.headers],
    setHost: false,
    agent: false as const,
    timeout: IDLE_MS_MAX,
  };
  if (protocol === 'http:') return httpRequest(options);
  const trust =
    authorities === undefined ? { rejectUnauthorized: false } : { ca: [...authorities] };
  return httpsRequest({ ...options, ...trust });
}

/** Answers what takes back the timer of a body that is held. */
function send(
  { clock }: Site,
  sent: ClientRequest,
  { body, how = 'send' }: RawRequest,
  onWhole: () => void,
): () => void {
  if (how === 'announce') {
    sent.flushHeaders();
    return () => undefined;
  }
  if (how === 'send' || body === undefined) {
    onWhole();
    sent.end(body);
    return () => undefined;
  }
  sent.write(body.subarray(0, -1));
  return clock.after(HOLD_MS, () => {
    onWhole();
    sent.end(body.subarray(-1));
  });
}

async function gather(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new Error('the answer has no end');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function wordsOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  const words: Readonly<Record<string, string>> = {
    ENOTFOUND: 'the host name has no address',
    EAI_AGAIN: 'the host name cannot be looked up',
    ECONNREFUSED: 'nothing listens there',
    ECONNRESET: 'the connection was cut',
    EPIPE: 'the connection was cut',
    ETIMEDOUT: 'the connection could not be made in time',
    EHOSTUNREACH: 'the host cannot be reached',
    ENETUNREACH: 'the network cannot be reached',
  };
  return words[code] ?? error.message;
}
