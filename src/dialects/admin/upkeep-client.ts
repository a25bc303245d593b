/** The upkeep of a running server, by its socket. */
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { ERROR_CODES, ServiceError } from '../../core/errors.ts';
import { BACKUP_FAULTS, BackupError } from '../../core/ports/store-backup.ts';
import type { UpkeepOptions } from '../../core/ports/upkeep-progress.ts';
import { request } from '../../kit/node-http.ts';
import { AdminCallError, hungUp, IDLE_TIMEOUT_MS, isUnreached } from './admin-client.ts';
import { openSocketPath } from './socket-path.ts';
import type { Upkeep } from './upkeep.ts';
import { BackupDocument, FailureLine, ProgressLine, VerifyDocument } from './upkeep-documents.ts';

/** Calls the server on `socketFile`; throws the system's own error when nobody listens there. */
export function upkeepClient(socketFile: string): Upkeep {
  return {
    verify: (options) =>
      follow({ socketFile, path: '/admin/v1/verify', body: {}, schema: VerifyDocument }, options),
    backup: ({ directory, withKeys }, options) => {
      const body = { directory, with_keys: withKeys };
      const call = { socketFile, path: '/admin/v1/backup', body, schema: BackupDocument };
      return follow(call, options);
    },
  };
}

type Call<S extends TSchema> = {
  readonly socketFile: string;
  readonly path: string;
  readonly body: object;
  readonly schema: S;
};

const ResultLine = Type.Object({ event: Type.Literal('result'), document: Type.Unknown() });

async function follow<S extends TSchema>(
  call: Call<S>,
  options: UpkeepOptions,
): Promise<Static<S>> {
  await using socket = await openSocketPath(call.socketFile);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const sent = request({
    socketPath: socket.path,
    method: 'POST',
    path: call.path,
    timeout: IDLE_TIMEOUT_MS,
    agent: false,
    signal: options.signal,
    headers: { 'content-type': 'application/json' },
  });
  sent.on('response', resolve);
  sent.on('timeout', () => sent.destroy(new AdminCallError('The server does not answer.')));
  sent.on('error', (error) => reject(isUnreached(error) ? error : hungUp(error)));
  sent.end(JSON.stringify(call.body));
  const response = await promise;
  if (response.statusCode !== 200) {
    const message = `The server answered with status ${response.statusCode}.`;
    throw new AdminCallError(message, { cause: await text(response) });
  }
  return await readLines(call, response, options);
}

async function readLines<S extends TSchema>(
  call: Call<S>,
  response: IncomingMessage,
  { onProgress }: UpkeepOptions,
): Promise<Static<S>> {
  try {
    for await (const line of createInterface({ input: response })) {
      const event: unknown = JSON.parse(line);
      if (Value.Check(ProgressLine, event)) {
        const { step, done, total } = event;
        onProgress({ step, done, total: total ?? undefined });
      } else if (Value.Check(ResultLine, event) && Value.Check(call.schema, event.document)) {
        return event.document;
      } else if (Value.Check(FailureLine, event)) {
        throw failureOf(event);
      } else {
        throw new AdminCallError('The server gave an answer that this program does not know.');
      }
    }
  } catch (error) {
    const isSaid = error instanceof ServiceError || error instanceof BackupError;
    throw isSaid ? error : hungUp(error);
  }
  throw hungUp(undefined);
}

function failureOf({ code, message, hint }: FailureLine): Error {
  const fault = BACKUP_FAULTS.find((candidate) => candidate === code);
  if (fault !== undefined) return new BackupError(fault, { message, remedy: hint ?? '' });
  const known = ERROR_CODES.find((candidate) => candidate === code);
  return known === undefined ? new AdminCallError(message) : new ServiceError(known, message);
}
