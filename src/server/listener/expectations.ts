/** `Expect: 100-continue` (RFC 9110 section 10.1.1), and what a head must or must not hold. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from '../schema/rest-errors.ts';
import type { ApiServer } from '../schema/schema-kit.ts';
import { FRAMING_ANSWERS, findFramingFault } from './framing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the sender waits for `100 Continue` and has not got it yet. */
    isExpectingContinue: boolean;
  }
}

/** Lets a waiting sender send its body. */
export function sendContinue(request: FastifyRequest, reply: FastifyReply): void {
  if (!request.isExpectingContinue) return;
  request.isExpectingContinue = false;
  reply.raw.writeContinue();
}

/**
 * Node would answer 100, 417 and a missing Host by itself; a refusal must come first, and as JSON.
 */
export function holdExpectations(
  server: ApiServer,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  const waiting = new WeakSet<IncomingMessage>();
  const unmet = new WeakSet<IncomingMessage>();
  server.decorateRequest('isExpectingContinue', false);
  server.server.prependListener('request', onRequest);
  server.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request);
    onRequest(request, response);
    server.routing(request, response);
  });
  server.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    unmet.add(request);
    onRequest(request, response);
    server.routing(request, response);
  });
  server.addHook('onRequest', async (request, reply) => {
    request.isExpectingContinue = waiting.has(request.raw);
    const problem = unmet.has(request.raw) ? UNMET : problemOf(request);
    if (problem === undefined) return;
    const body = errorBody({ ...problem, requestId: request.id });
    await reply.code(problem.status).header('connection', 'close').send(body);
  });
  server.addHook('preParsing', async (request, reply, payload) => {
    if (request.routeOptions.config.takesBytes !== true) sendContinue(request, reply);
    return payload;
  });
}

type Problem = { readonly status: number; readonly code: string; readonly message: string };

const UNMET: Problem = {
  status: 417,
  code: 'bad_request',
  message: 'The only expectation that can be met is 100-continue.',
};

function problemOf(request: FastifyRequest): Problem | undefined {
  const fault = findFramingFault(request.raw);
  if (fault === undefined) return undefined;
  const { status, message } = FRAMING_ANSWERS[fault];
  return { status, code: status === 501 ? 'not_implemented' : 'bad_request', message };
}
