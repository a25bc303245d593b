/** Proves that what is observed is told to Prometheus, by labels of few values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createMetrics } from './metrics.ts';

test('requests, bytes, jobs and what is stored are told with their labels', async () => {
  const metrics = createMetrics();
  const request = { listener: 'api', method: 'GET', route: '/files', status: 200, seconds: 0.02 };
  metrics.observeHttp({ ...request, listener: 'api' });
  metrics.observeHttp({ ...request, listener: 'api', seconds: 0.5 });
  metrics.countBytes('in', 3);
  metrics.countBytes('in', 4);
  metrics.countBytes('out', 5);
  metrics.countJob('usage', 'failed');
  metrics.setStoredBytes(7);
  metrics.setStoredBytes(6);
  const lines = (await metrics.render()).split('\n');
  for (const line of [
    'pinfold_http_requests_total{listener="api",method="GET",route="/files",status="200"} 2',
    'pinfold_http_request_seconds_count{listener="api",route="/files"} 2',
    'pinfold_http_request_seconds_bucket{le="0.025",listener="api",route="/files"} 1',
    'pinfold_object_bytes_total{direction="in"} 7',
    'pinfold_object_bytes_total{direction="out"} 5',
    'pinfold_job_runs_total{job="usage",outcome="failed"} 1',
    'pinfold_stored_bytes 6',
  ]) {
    assert(lines.includes(line), line);
  }
});

test('each transaction has its series before the first of its runs', async () => {
  const metrics = createMetrics();
  metrics.nameTransactions(['rename_file', 'log_in']);
  metrics.observeTransaction('log_in', 0.02);
  const lines = (await metrics.render()).split('\n');
  for (const line of [
    'pinfold_transaction_seconds_count{transaction="rename_file"} 0',
    'pinfold_transaction_seconds_count{transaction="log_in"} 1',
    'pinfold_transaction_seconds_bucket{le="0.01",transaction="log_in"} 0',
    'pinfold_transaction_seconds_bucket{le="0.1",transaction="log_in"} 1',
  ]) {
    assert(lines.includes(line), line);
  }
});

test('a held event loop is told', async () => {
  const metrics = createMetrics();
  await setTimeout(50);
  const endMs = performance.now() + 200;
  while (performance.now() < endMs);
  await setTimeout(50);
  const text = await metrics.render();
  assert(Number(/^nodejs_eventloop_lag_max_seconds (\S+)/m.exec(text)?.[1]) >= 0.15);
});

test('two servers of one process count apart', async () => {
  const one = createMetrics();
  const other = createMetrics();
  one.countBytes('in', 1);
  assert(!(await other.render()).includes('pinfold_object_bytes_total{direction="in"}'));
});
