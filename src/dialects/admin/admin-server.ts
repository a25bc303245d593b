/**
 * The admin socket: JSON over HTTP on a unix socket that only the server's own user can reach.
 * Being able to open it is the credential; there is no other.
 */
import { chmod, rm } from 'node:fs/promises';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify from 'fastify';
import { Type } from 'typebox';
import { isServiceError } from '../../core/errors.ts';
import { JSON_BODY_BYTES_MAX, LIST_LIMIT_MAX } from '../../core/limits.ts';
import type { Clock } from '../../core/ports/clock.ts';
import {
  FRAMING_ANSWERS,
  FRAMING_OPTIONS,
  findFramingFault,
} from '../../server/listener/framing.ts';
import { answerMalformed, OpenAnswers } from '../../server/listener/malformed-requests.ts';
import { errorBody, fallbackMessage, REST_ERRORS } from '../../server/schema/rest-errors.ts';
import { type ApiServer, NO_COMPILERS, setCompilers } from '../../server/schema/schema-kit.ts';
import type { Administration } from './administration.ts';
import {
  AccountDocument,
  AccountListDocument,
  AuditDocument,
  CreatedAccountDocument,
  LimitsChangeDocument,
  NewAccountDocument,
} from './documents.ts';
import { addS3Keys } from './s3-key-calls.ts';
import { openSocketPath, type SocketPath } from './socket-path.ts';
import { addTokens } from './token-calls.ts';
import type { Upkeep } from './upkeep.ts';
import { addUpkeep } from './upkeep-routes.ts';

/** Where faults of ours are told; a pino logger is one. */
export type AdminLog = { error(facts: object, sentence: string): void };

export type AdminServerDeps = {
  readonly administration: Administration;
  readonly upkeep: Upkeep;
  readonly clock: Pick<Clock, 'after'>;
  readonly newRequestId: () => string;
  readonly log: AdminLog;
};

/** Longest account name in a path; a wallet has 44 letters. */
const NAME_LENGTH_MAX = 256;

const NameParams = Type.Object({ account: Type.String({ minLength: 1 }) });
const Limit = Type.Optional(Type.Integer({ minimum: 1, maximum: LIST_LIMIT_MAX }));
const AccountsQuery = Type.Object({ after: Type.Optional(Type.String()), limit: Limit });
const AuditQuery = Type.Object({ account: Type.Optional(Type.String()), limit: Limit });

export class AdminServer implements AsyncDisposable {
  readonly socketFile: string;
  readonly #routes: ApiServer;
  readonly #path: SocketPath;
  readonly #stopping: AbortController;

  private constructor(parts: {
    readonly socketFile: string;
    readonly routes: ApiServer;
    readonly path: SocketPath;
    readonly stopping: AbortController;
  }) {
    this.socketFile = parts.socketFile;
    this.#routes = parts.routes;
    this.#path = parts.path;
    this.#stopping = parts.stopping;
  }

  /**
   * Listens on `socketFile`, whose directory only its owner may enter. The caller holds the data
   * directory's lock, so that a socket which stands there is left from a dead process.
   */
  static async open(
    deps: AdminServerDeps,
    options: { readonly socketFile: string },
  ): Promise<AdminServer> {
    const { socketFile } = options;
    await rm(socketFile, { force: true });
    const path = await openSocketPath(socketFile);
    const stopping = new AbortController();
    const routes = routesOf(deps, stopping.signal);
    try {
      await routes.listen({ path: path.path });
      await chmod(socketFile, 0o600);
    } catch (error) {
      await routes.close();
      await path[Symbol.asyncDispose]();
      throw error;
    }
    return new AdminServer({ socketFile, routes, path, stopping });
  }

  /** Ends after the requests under way, of which upkeep is stopped; the socket is gone then. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    await this.#routes.close();
    await this.#path[Symbol.asyncDispose]();
  }
}

function routesOf(deps: AdminServerDeps, stopping: AbortSignal): ApiServer {
  const answers = new OpenAnswers();
  const routes: ApiServer = Fastify({
    bodyLimit: JSON_BODY_BYTES_MAX,
    forceCloseConnections: 'idle',
    schemaController: NO_COMPILERS,
    http: FRAMING_OPTIONS,
    genReqId: deps.newRequestId,
    clientErrorHandler: (error, socket) => answerMalformed(deps, { socket, answers }, error),
    routerOptions: { maxParamLength: NAME_LENGTH_MAX },
  }).withTypeProvider<TypeBoxTypeProvider>();
  setCompilers(routes);
  routes.server.prependListener('request', (request, response) => answers.add(request, response));
  refuseFraming(routes);
  answerErrors(routes, deps.log);
  addCollections(routes, deps.administration);
  addAccount(routes, deps.administration);
  addTokens(routes, deps.administration);
  addS3Keys(routes, deps.administration);
  addUpkeep(routes, { ...deps, stopping });
  return routes;
}

function refuseFraming(routes: ApiServer): void {
  routes.addHook('onRequest', async (request, reply) => {
    const fault = findFramingFault(request.raw);
    if (fault === undefined) return;
    const { status, message } = FRAMING_ANSWERS[fault];
    const body = errorBody({ status, code: 'bad_request', message, requestId: request.id });
    await reply.code(status).header('connection', 'close').send(body);
  });
}

function addCollections(routes: ApiServer, administration: Administration): void {
  routes.get(
    '/admin/v1/accounts',
    { schema: { querystring: AccountsQuery, response: { 200: AccountListDocument } } },
    ({ query: { after, limit = LIST_LIMIT_MAX } }) => administration.listAccounts({ after, limit }),
  );
  routes.post(
    '/admin/v1/accounts',
    { schema: { body: NewAccountDocument, response: { 201: CreatedAccountDocument } } },
    async ({ body }, reply) => {
      reply.code(201);
      return administration.createAccount(body);
    },
  );
  routes.get(
    '/admin/v1/audit',
    { schema: { querystring: AuditQuery, response: { 200: AuditDocument } } },
    ({ query: { account, limit = LIST_LIMIT_MAX } }) =>
      administration.listAudit({ account, limit }),
  );
}

function addAccount(routes: ApiServer, administration: Administration): void {
  const path = '/admin/v1/accounts/:account';
  const schema = { params: NameParams, response: { 200: AccountDocument } };
  routes.get(path, { schema }, ({ params }) => administration.getAccount(params.account));
  routes.post(`${path}/disable`, { schema }, ({ params }) =>
    administration.disableAccount(params.account),
  );
  routes.post(`${path}/enable`, { schema }, ({ params }) =>
    administration.enableAccount(params.account),
  );
  routes.patch(
    `${path}/limits`,
    { schema: { ...schema, body: LimitsChangeDocument } },
    ({ params, body }) => administration.changeLimits(params.account, body),
  );
  routes.post(`${path}/end-sessions`, { schema }, ({ params }) =>
    administration.endSessions(params.account),
  );
  routes.put(`${path}/operator`, { schema }, ({ params }) =>
    administration.addOperator(params.account),
  );
  routes.delete(`${path}/operator`, { schema }, ({ params }) =>
    administration.removeOperator(params.account),
  );
}

/** The one error shape, with the domain's own codes: the client here is our own program. */
function answerErrors(routes: ApiServer, log: AdminLog): void {
  routes.setNotFoundHandler((request, reply) => {
    const requestId = request.id;
    const message = 'There is no such admin call.';
    return reply
      .code(404)
      .send(errorBody({ status: 404, code: 'no_such_call', message, requestId }));
  });
  routes.setErrorHandler((error, request, reply) => {
    const requestId = request.id;
    if (isServiceError(error)) {
      const { status } = REST_ERRORS[error.code];
      const { code, message, details } = error;
      return reply.code(status).send(errorBody({ status, code, message, requestId, details }));
    }
    const status = refusalStatus(error);
    if (status !== undefined) {
      const message = 'The request is malformed.';
      return reply
        .code(status)
        .send(errorBody({ status, code: 'invalid_field', message, requestId }));
    }
    log.error({ err: error, requestId }, 'An admin call failed.');
    const message = fallbackMessage(500);
    return reply.code(500).send(errorBody({ status: 500, code: 'internal', message, requestId }));
  });
}

/** The status of a request that the HTTP shell itself refuses. */
function refusalStatus(error: unknown): number | undefined {
  const status =
    typeof error === 'object' && error !== null && 'statusCode' in error
      ? error.statusCode
      : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
