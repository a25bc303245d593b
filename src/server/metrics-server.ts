/** The metrics listener: one path, for Prometheus, on an address of its own. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, createTlsServer } from '../kit/node-http.ts';
import type { TlsContext } from '../kit/tls-pair.ts';
import type { Metrics } from '../observe/metrics.ts';

/** `tls`: `undefined` for plain HTTP. */
export function createMetricsServer(metrics: Metrics, tls: TlsContext | undefined): Server {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
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
  return tls === undefined ? createServer(answer) : createTlsServer(tls, answer);
}
