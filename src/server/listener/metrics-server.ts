/** The metrics listener: one path, for Prometheus, on an address of its own. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, createTlsServer } from '../../kit/node-http.ts';
import type { TlsContext } from '../../kit/tls-pair.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { FRAMING_ANSWERS, FRAMING_OPTIONS, findFramingFault } from './framing.ts';

/** `tls`: `undefined` for plain HTTP. */
export function createMetricsServer(metrics: Metrics, tls: TlsContext | undefined): Server {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const fault = findFramingFault(request);
    if (fault !== undefined) {
      const { status, message } = FRAMING_ANSWERS[fault];
      const headers = { 'content-type': 'text/plain', connection: 'close' };
      response.writeHead(status, headers).end(`${message}\n`);
      return;
    }
    const isScrape = request.url === '/metrics' && ['GET', 'HEAD'].includes(request.method ?? '');
    if (!isScrape) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n');
      return;
    }
    metrics.render().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  };
  return tls === undefined
    ? createServer(FRAMING_OPTIONS, answer)
    : createTlsServer({ ...FRAMING_OPTIONS, ...tls }, answer);
}
