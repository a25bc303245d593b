/** The administration of a running server, by its socket. */

import { text } from 'node:stream/consumers';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { ERROR_CODES, ServiceError } from '../../core/errors.ts';
import { request } from '../../kit/node-http.ts';
import type { Administration } from './administration.ts';
import {
  AccountDocument,
  AccountListDocument,
  AuditDocument,
  CreatedAccountDocument,
  CreatedS3KeyDocument,
  CreatedTokenDocument,
  RevokedS3KeyDocument,
  RevokedTokenDocument,
  S3KeyListDocument,
  TokenListDocument,
} from './documents.ts';
import { openSocketPath } from './socket-path.ts';

/** The server's own calls take milliseconds; a longer silence is a server that hangs. */
export const IDLE_TIMEOUT_MS = 30_000;

const ErrorDocument = Type.Object({
  message: Type.String(),
  code: Type.String(),
  requestId: Type.String(),
});

/** An answer that no version of ours gives, or a fault inside the server. */
export class AdminCallError extends Error {
  readonly requestId: string | undefined;

  constructor(
    message: string,
    facts: { readonly requestId?: string; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: facts.cause });
    this.name = 'AdminCallError';
    this.requestId = facts.requestId;
  }
}

/** Calls the server on `socketFile`; throws the system's own error when nobody listens there. */
export function adminClient(socketFile: string): Administration {
  const call = <S extends TSchema>(schema: S, method: string, path: string, body?: object) =>
    callServer({ socketFile, schema, method, path: `/admin/v1${path}`, body });
  const change = (account: string, method: string, what: string, body?: object) =>
    call(AccountDocument, method, `${pathOf(account)}/${what}`, body);
  return {
    listAccounts: (page) => call(AccountListDocument, 'GET', `/accounts${queryOf(page)}`),
    createAccount: (account) => call(CreatedAccountDocument, 'POST', '/accounts', account),
    getAccount: (account) => call(AccountDocument, 'GET', pathOf(account)),
    disableAccount: (account) => change(account, 'POST', 'disable'),
    enableAccount: (account) => change(account, 'POST', 'enable'),
    changeLimits: (account, limits) => change(account, 'PATCH', 'limits', limits),
    endSessions: (account) => change(account, 'POST', 'end-sessions'),
    addOperator: (account) => change(account, 'PUT', 'operator'),
    removeOperator: (account) => change(account, 'DELETE', 'operator'),
    createToken: (account, token) =>
      call(CreatedTokenDocument, 'POST', `${pathOf(account)}/tokens`, token),
    listTokens: (account) => call(TokenListDocument, 'GET', `${pathOf(account)}/tokens`),
    revokeToken: (account, name) =>
      call(RevokedTokenDocument, 'DELETE', `${pathOf(account)}/tokens/${encodeURIComponent(name)}`),
    createS3Key: (account, key) =>
      call(CreatedS3KeyDocument, 'POST', `${pathOf(account)}/s3-keys`, key),
    listS3Keys: (account) => call(S3KeyListDocument, 'GET', `${pathOf(account)}/s3-keys`),
    revokeS3Key: (accessKeyId) =>
      call(RevokedS3KeyDocument, 'DELETE', `/s3-keys/${encodeURIComponent(accessKeyId)}`),
    listAudit: (page) => call(AuditDocument, 'GET', `/audit${queryOf(page)}`),
  };
}

function pathOf(account: string): string {
  return `/accounts/${encodeURIComponent(account)}`;
}

function queryOf(page: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(page)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return `?${query.toString()}`;
}

type Call<S extends TSchema> = {
  readonly socketFile: string;
  readonly schema: S;
  readonly method: string;
  readonly path: string;
  readonly body: object | undefined;
};

async function callServer<S extends TSchema>(call: Call<S>): Promise<Static<S>> {
  const answer = await exchange(call);
  const document = parseJson(answer.body);
  if (answer.status >= 200 && answer.status < 300) {
    if (Value.Check(call.schema, document)) return document;
    throw new AdminCallError('The server gave an answer that this program does not know.');
  }
  if (!Value.Check(ErrorDocument, document)) {
    throw new AdminCallError(`The server answered with status ${answer.status}.`);
  }
  const { requestId } = document;
  const code = ERROR_CODES.find((candidate) => candidate === document.code);
  if (code === undefined) {
    throw new AdminCallError(document.message, { requestId });
  }
  throw new ServiceError(code, document.message, { details: { requestId } });
}

type Answer = { readonly status: number; readonly body: string };

async function exchange(call: Call<TSchema>): Promise<Answer> {
  await using socket = await openSocketPath(call.socketFile);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const body = call.body === undefined ? undefined : JSON.stringify(call.body);
  const sent = request({
    socketPath: socket.path,
    method: call.method,
    path: call.path,
    timeout: IDLE_TIMEOUT_MS,
    agent: false,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
  });
  sent.on('response', (response) => {
    text(response).then(
      (received) => {
        resolve({ status: response.statusCode ?? 0, body: received });
      },
      (error) => reject(hungUp(error)),
    );
  });
  sent.on('timeout', () => sent.destroy(new AdminCallError('The server does not answer.')));
  sent.on('error', (error) => reject(isUnreached(error) ? error : hungUp(error)));
  sent.end(body);
  return await promise;
}

/** Whether the call has not reached anyone, so that it may be made elsewhere. */
export function isUnreached(error: Error): boolean {
  return 'syscall' in error && error.syscall === 'connect';
}

export function hungUp(error: unknown): AdminCallError {
  if (error instanceof AdminCallError) return error;
  const message = 'The server ended the connection before it answered.';
  return new AdminCallError(message, { cause: error });
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
