/**
 * Metrics for Prometheus. Labels have few values: a route's pattern, never a path or an account.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createStoreMetrics, type StoreMetrics } from './store-metrics.ts';

export type HttpObservation = {
  readonly listener: 'api' | 's3';
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
};

export type Metrics = StoreMetrics & {
  readonly observeHttp: (observation: HttpObservation) => void;
  readonly countBytes: (direction: 'in' | 'out', bytes: number) => void;
  readonly countJob: (job: string, outcome: 'done' | 'failed') => void;
  readonly setStoredBytes: (bytes: number) => void;
  /** When the certificate in use ends; milliseconds since the epoch. */
  readonly setCertificateEnd: (atMs: number) => void;
  /** The text of the exposition format. */
  readonly render: () => Promise<string>;
  readonly contentType: string;
};

/** From a small read out of memory to a large upload. */
const SECONDS_BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 600];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'pinfold_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['listener', 'method', 'route', 'status'],
    registers,
  });
  const seconds = new Histogram({
    name: 'pinfold_http_request_seconds',
    help: 'From the head of a request to the end of its answer.',
    labelNames: ['listener', 'route'],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  const bytes = new Counter({
    name: 'pinfold_object_bytes_total',
    help: 'Bytes of objects taken in and sent out.',
    labelNames: ['direction'],
    registers,
  });
  const jobs = new Counter({
    name: 'pinfold_job_runs_total',
    help: 'Runs of background jobs.',
    labelNames: ['job', 'outcome'],
    registers,
  });
  const stored = new Gauge({
    name: 'pinfold_stored_bytes',
    help: 'Bytes of all accounts together.',
    registers,
  });
  const certificateEnd = new Gauge({
    name: 'pinfold_tls_certificate_end_seconds',
    help: 'When the TLS certificate in use ends, in seconds since the epoch; 0 without TLS.',
    registers,
  });
  return {
    ...createStoreMetrics(registry),
    observeHttp: ({ listener, method, route, status, seconds: took }) => {
      requests.inc({ listener, method, route, status: String(status) });
      seconds.observe({ listener, route }, took);
    },
    countBytes: (direction, count) => bytes.inc({ direction }, count),
    countJob: (job, outcome) => jobs.inc({ job, outcome }),
    setStoredBytes: (count) => stored.set(count),
    setCertificateEnd: (atMs) => certificateEnd.set(atMs / 1000),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
