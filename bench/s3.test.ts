/**
 * What S3 rows send is signed as anybody would sign it, servers that end their connections are
 * measured all the same, and ratios are those of the figures.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { parseAmzDate } from '../src/kit/sigv4/amz-date.ts';
import { signRequest } from '../src/kit/sigv4/sign-request.ts';
import { LoadRun } from './load/load-run.ts';
import type { Plan, S3Access } from './load/plan.ts';
import { s3Source } from './protocols/s3.ts';
import { staticSource } from './protocols/static.ts';
import { ratioTexts } from './ratios.ts';
import { reportRow } from './report.ts';
import { REPORT_FORM, type Report, type TargetReport } from './report-form.ts';
import { ROWS, selectRows } from './rows.ts';
import { parsePeer } from './targets/peer.ts';

const ACCESS: S3Access = {
  kind: 's3',
  bucket: 'bucket-of-tests',
  accessKeyId: 'AKIDEXAMPLE',
  secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'eu-central-1',
};

const PLAN: Plan = {
  host: '127.0.0.1',
  port: 9,
  access: ACCESS,
  action: 'put',
  payload: 'signed',
  connections: 2,
  sizeBytes: 4096,
  objects: { prefix: 'some/', folderDigits: 2, first: 16, count: 64 },
  pages: [],
  runMs: 100,
  requestsMax: 100,
  compareEvery: 1,
};

test('requests differ and each bears the signature that a general signer gives it', () => {
  const plans: readonly Plan[] = [
    PLAN,
    { ...PLAN, sizeBytes: 100_000 },
    { ...PLAN, payload: 'unsigned' },
    { ...PLAN, action: 'get' },
    { ...PLAN, action: 'head', objects: { ...PLAN.objects, folderDigits: 0 } },
    { ...PLAN, action: 'delete' },
    {
      ...PLAN,
      action: 'list',
      pages: [
        { cursor: undefined, answerBytes: 1 },
        { cursor: 'b/+= ', answerBytes: 1 },
      ],
    },
    { ...PLAN, action: 'list-delimiter', pages: [{ cursor: undefined, answerBytes: 1 }] },
  ];
  for (const plan of plans) {
    const source = s3Source(plan, ACCESS);
    const lanes = [source.openLane(), source.openLane()];
    const seen = new Set<string>();
    const count = plan.pages.length || 70;
    for (let index = 0; index < count; index += 1) {
      const { pieces } = lanes[index & 1]?.next(index) ?? { pieces: [] };
      const request = readRequest(Buffer.concat(pieces));
      assert.equal(request.signature, signatureOf(request), `${plan.action} ${index}`);
      if (request.payloadHash !== 'UNSIGNED-PAYLOAD') {
        assert.equal(request.payloadHash, hash('sha256', request.body, 'hex'));
      }
      seen.add(`${request.method} ${request.path}?${request.query}`);
    }
    const rounds = plan.action === 'get' || plan.action === 'head';
    assert.equal(seen.size, rounds ? plan.objects.count : count, plan.action);
  }
});

test('a run ends when its signed requests are used up', () => {
  const source = s3Source({ ...PLAN, requestsMax: Number.MAX_SAFE_INTEGER }, ACCESS);
  assert.equal(source.requestsMax, 1002);
});

test('a server that ends its connection after every answer is given new ones', async () => {
  let connections = 0;
  const body = 'x'.repeat(10);
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'Content-Length': 10, Connection: 'Close' });
    response.end(body);
  });
  server.on('connection', () => {
    connections += 1;
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  const plan: Plan = {
    ...PLAN,
    port: address.port,
    access: { kind: 'static' },
    action: 'get',
    sizeBytes: 10,
    runMs: 10_000,
    requestsMax: 21,
    compareEvery: 1000,
  };
  const run = await LoadRun.open(plan, staticSource(plan));
  const result = await run.run();
  run.close();
  server.close();
  assert.equal(result.requests, 21);
  // The very first answer alone was compared, and it is not what objects hold.
  assert.equal(result.failures, 1, result.failureTexts.join());
  assert.equal(connections, 21);
});

test('ratios and targets are those of the figures', () => {
  const [row] = selectRows(ROWS.s3, ['put-4KiB-16']);
  assert(row !== undefined);
  const figures = [
    { target: 'pinfold', rate: 9000, us: 1000, cpuUs: 90 },
    { target: 'slow', rate: 1000, us: 5000, cpuUs: 900 },
    { target: 'best', rate: 2000, us: 2000, cpuUs: 450 },
  ];
  const rows = figures.map(({ target, rate, us, cpuUs }) =>
    reportRow(row, target, [
      {
        load: {
          requests: rate,
          seconds: 1,
          sentBodyBytes: 0,
          receivedBodyBytes: 0,
          p50Us: us,
          p99Us: us,
          maxUs: us,
          cpuUs: 0,
          comparedAnswers: 0,
          failures: 0,
          failureTexts: [],
        },
        rate,
        serverCpuUs: cpuUs,
        generatorCpuUs: 10,
        otherCores: 0,
        memory: { rssMib: 100, peakMib: 310 },
        windowUs: { start: 0, end: 1 },
      },
    ]),
  );
  const target = (role: TargetReport['role']): TargetReport => {
    return { words: '', role, listedKeys: 1, idleMib: 100, afterMib: 110, peakMib: 310 };
  };
  const report: Report = {
    form: REPORT_FORM,
    protocol: 's3',
    startedAt: '',
    machine: {
      cores: 2,
      cpu: '',
      memoryGib: 1,
      kernel: '',
      disk: '',
      node: '',
      commit: '',
      isChanged: false,
      loadAverage: [],
    },
    runs: 1,
    secondsPerRun: 1,
    settings: {},
    targets: { pinfold: target('ours'), slow: target('peer'), best: target('peer') },
    skipped: [],
    disk: { syncsPerSecond: 1, p50Us: 1, p99Us: 1 },
    rows,
  };
  const text = ratioTexts(report).join('\n');
  assert.match(text, /^put-4KiB-16 +best +0\.22x +2\.00x +2\.00x +5\.00x +1\.00x$/m);
  assert.match(
    text,
    /^put-4KiB-16 +SHORT +10000 ops\/s +9000 \(0\.90x\) +best 2000 +4x +4\.50x reached$/m,
  );
  assert.match(text, /^ +server CPU +reached +100 us at most +90 \(0\.90x\)$/m);
  assert.match(text, /^memory idle +reached +120 MiB at most +100 /m);
  assert.match(text, /^memory at most +OVER +300 MiB at most +310 /m);
});

test('a peer is a known name, a URL, a command or a checkout, and nothing else', () => {
  assert.equal(parsePeer('minio').kind, 'known');
  assert.equal(parsePeer('a=http://127.0.0.1:9000').kind, 'url');
  assert.deepEqual(parsePeer('a=run:exec serve $S3_PORT'), {
    kind: 'command',
    name: 'a',
    command: 'exec serve $S3_PORT',
  });
  assert.equal(parsePeer(`a=${import.meta.dirname}/..`).kind, 'checkout');
  assert.throws(() => parsePeer('a=/nowhere'), /neither an http/);
  assert.throws(() => parsePeer('unknown'), /minio, versitygw/);
});

type SentRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly payloadHash: string;
  readonly amzDate: string;
  readonly signature: string;
  readonly body: Buffer;
};

function readRequest(bytes: Buffer): SentRequest {
  const end = bytes.indexOf('\r\n\r\n');
  const [line = '', ...fields] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const [method = '', url = ''] = line.split(' ');
  const [path = '', query = ''] = url.split('?');
  const field = (name: string) =>
    fields.find((one) => one.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
  const body = bytes.subarray(end + 4);
  assert.equal(Number(field('content-length')), body.length);
  return {
    method,
    path,
    query,
    host: field('host'),
    payloadHash: field('x-amz-content-sha256'),
    amzDate: field('x-amz-date'),
    signature: /Signature=(\w+)$/.exec(field('authorization'))?.[1] ?? '',
    body,
  };
}

function signatureOf(request: SentRequest): string {
  const atMs = parseAmzDate(request.amzDate);
  assert(atMs !== undefined);
  return signRequest(
    { ...ACCESS, service: 's3' },
    {
      method: request.method,
      rawPath: request.path,
      rawQuery: request.query,
      rawHeaders: ['host', request.host],
      payloadHash: request.payloadHash,
    },
    { atMs },
  ).signature;
}
