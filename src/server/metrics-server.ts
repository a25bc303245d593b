/** The metrics listener: one path, for Prometheus, on an address of its own. */
import { createServer, type Server } from 'node:http';
import type { Metrics } from '../observe/metrics.ts';

export function createMetricsServer(metrics: Metrics): Server {
  return createServer((request, response) => {
    const isScrape = request.url === '/metrics' && ['GET', 'HEAD'].includes(request.method ?? '');
    if (!isScrape) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('GET /metrics\n');
      return;
    }
    metrics.render().then(
      (text) => response.writeHead(200, { 'content-type': metrics.contentType }).end(text),
      () => response.writeHead(500).end(),
    );
  });
}
