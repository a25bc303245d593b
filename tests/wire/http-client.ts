/**
 * A client that hides nothing: raw paths, raw headers, raw bytes, and sockets to misbehave with.
 */
import assert from 'node:assert/strict';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

export type Json = Readonly<Record<string, unknown>>;

export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The body as a JSON object; fails the test when it is none. */
  readonly json: Json;
};

export type Call = {
  /** Method and raw path: `GET /files?limit=1`. */
  readonly route: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Bytes or text as they are, anything else as JSON. */
  readonly body?: unknown;
};

/** One request on a connection of its own. */
export async function call(url: string, { route, headers = {}, body }: Call): Promise<Answer> {
  const at = route.indexOf(' ');
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const text = body === undefined || isRaw ? body : JSON.stringify(body);
  // Always bytes: a text would go out in one write with the head, and change its encoding.
  const payload = typeof text === 'string' ? Buffer.from(text) : text;
  const typed = body !== undefined && !isRaw ? { 'content-type': 'application/json' } : {};
  const isChunked = headers['transfer-encoding'] !== undefined;
  const length = payload === undefined || isChunked ? {} : { 'content-length': payload.byteLength };
  const { hostname, port } = new URL(url);
  return await new Promise((resolve, reject) => {
    const sent = request({
      hostname,
      port,
      method: route.slice(0, at),
      path: route.slice(at + 1),
      headers: { ...typed, ...length, ...headers },
      agent: false,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      buffer(response).then((bytes) => {
        resolve(answerOf(response.statusCode ?? 0, response.headers, bytes));
      }, reject);
    });
    sent.end(payload);
  });
}

function answerOf(status: number, headers: IncomingHttpHeaders, bytes: Buffer): Answer {
  return {
    status,
    headers,
    bytes,
    get text() {
      return bytes.toString('utf8');
    },
    get json() {
      const value: unknown = JSON.parse(bytes.toString('utf8'));
      assert(typeof value === 'object' && value !== null);
      return value as Json;
    },
  };
}

/** The error answer in the one shape of the contract. */
export function assertRefused(answer: Answer, status: number, code: string, fields: Json = {}) {
  assert.equal(answer.status, status, answer.text);
  assert.match(String(answer.headers['content-type']), /^application\/json/);
  const { error, message, code: said, requestId } = answer.json;
  assert.equal(said, code, answer.text);
  assert(typeof error === 'string' && error !== '', answer.text);
  assert(typeof message === 'string' && message !== '', answer.text);
  assert(typeof requestId === 'string' && requestId !== '', answer.text);
  for (const [name, value] of Object.entries(fields)) {
    assert.deepEqual(answer.json[name], value, `${name} in ${answer.text}`);
  }
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return socket;
}

/** Everything that the server sends on `socket` until it closes. */
export async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  return await new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const finish = () => resolve(Buffer.concat(chunks).toString('latin1'));
    socket.once('end', finish);
    socket.once('close', finish);
    if (socket.closed) finish();
  });
}

/** Sends text as it is and reads until the server closes; the text asks it to, or is no HTTP. */
export async function exchange(url: string, ...texts: readonly string[]): Promise<string> {
  const socket = await openSocket(url);
  const reading = readToEnd(socket);
  for (const text of texts) socket.write(Buffer.from(text, 'latin1'));
  const answer = await reading;
  socket.destroy();
  return answer;
}

/**
 * Sends text as it is and reads what comes, until the server closes or falls silent; fails the test
 * when nothing comes at all.
 */
export async function provoke(url: string, text: string): Promise<string> {
  const socket = await openSocket(url);
  const chunks: Buffer[] = [];
  return await new Promise((resolve, reject) => {
    const finish = () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      socket.setTimeout(SILENCE_MS);
    });
    socket.once('end', finish);
    socket.once('close', finish);
    socket.setTimeout(HANG_MS);
    socket.once('timeout', () => {
      if (chunks.length > 0) return finish();
      socket.destroy();
      reject(new Error(`no answer to ${JSON.stringify(text)}`));
    });
    socket.write(Buffer.from(text, 'latin1'));
  });
}

/** An answer is small here and comes at once; what comes never is missed after this long. */
const SILENCE_MS = 500;
const HANG_MS = 5000;

/** The first answer in `text`, which was read off a socket. */
export function parseAnswer(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [first = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (?<status>\d{3}) /.exec(first)?.groups?.['status']);
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  return answerOf(status, headers, Buffer.from(rest.join('\r\n\r\n'), 'latin1'));
}
