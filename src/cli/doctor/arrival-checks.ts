/** What of a signed request a proxy changes before the gateway gets it. */
import { type Check, type Finding, fails, ok, warns } from './check.ts';
import { type Canonical, type Echo, queryOf, type S3Probe, type S3Request } from './s3-probe.ts';

type ArrivalCheck = Check<S3Probe>;

const KEEP_PATH =
  'Let the proxy pass the path on as it came. nginx: proxy_pass without a path after the address, and merge_slashes off. Caddy: reverse_proxy without rewrite or handle_path.';

export const ARRIVAL_CHECKS: readonly ArrivalCheck[] = [
  { name: 'host', look: lookAtHost },
  pathCheck('path: //', ['/doctor//a', '/doctor///b//']),
  pathCheck('path: . and ..', ['/doctor/a/../b', '/doctor/./c', '/doctor/..', '/../doctor']),
  pathCheck('path: %2F and %25', ['/doctor/a%2Fb', '/doctor/a%252Fb', '/doctor/a%253Fb']),
  pathCheck('path: + and space', ['/doctor/a+b', '/doctor/a%2Bb', '/doctor/a%20b', '/doctor/%20']),
  pathCheck('path: other marks', [
    '/doctor/a%3Fb',
    '/doctor/a%23b',
    "/doctor/a;b=c,d:e@f&g$h!i'(j)*",
    '/doctor/a%5Cb',
    '/doctor/%C3%A9%E2%82%AC%F0%9F%98%80',
    '/doctor/~a/',
    '/doctor/%5B%7C%5D%7B%22%3C%3E%5E%60%7D',
  ]),
  { name: 'query', look: lookAtQuery },
  { name: 'accept-encoding', look: lookAtEncoding },
  { name: 'headers', look: lookAtHeaders },
  { name: 'metadata names', look: lookAtMetadata },
  { name: 'header size', look: lookAtHeaderSize },
  { name: 'methods', look: lookAtMethods },
];

async function lookAtHost(probe: S3Probe): Promise<Finding> {
  const echo = await probe.echo({ method: 'GET' });
  if (echo.kind === 'none') return unseen(echo);
  const arrived = echo.arrived.headers.get('host') ?? '';
  if (arrived === probe.host) return ok('arrives as sent');
  return warns(
    `${probe.host} arrives as ${arrived || 'nothing'}; it is verified by PINFOLD_S3_PUBLIC_URL, and no other host name would be`,
    'Let the proxy keep the host. nginx: proxy_set_header Host $http_host. Caddy: keeps it unless header_up Host is set.',
  );
}

/** Each path is a key that a client may send; an echo of each is looked at. */
function pathCheck(name: string, rawKeys: readonly string[]): ArrivalCheck {
  return {
    name,
    look: async (probe) => {
      for (const rawKey of rawKeys) {
        const echo = await probe.echo({ method: 'GET', rawKey });
        if (echo.kind === 'none') return fails(`${rawKey}: ${echo.says}`, KEEP_PATH);
        const { sent, arrived } = echo;
        if (sent.path === arrived.path) continue;
        const bucket = `/${probe.subject.bucket}`;
        const shown = arrived.path.startsWith(`${bucket}/`)
          ? arrived.path.slice(bucket.length)
          : arrived.path;
        return fails(`${rawKey} arrives as ${shown}`, KEEP_PATH);
      }
      return ok('arrives as sent');
    },
  };
}

async function lookAtQuery(probe: S3Probe): Promise<Finding> {
  const pairs = queryOf([
    ['list-type', '2'],
    ['prefix', 'a+b c/é?&=%'],
    ['delimiter', '/'],
    ['x-id', 'ListObjectsV2'],
    ['twice', '2'],
    ['twice', '1'],
  ]);
  const echo = await probe.echo({ method: 'GET', rawQuery: `uploads&empty=&${pairs}` });
  if (echo.kind === 'none') return unseen(echo);
  const { sent, arrived } = echo;
  if (sent.query === arrived.query) return ok('arrives as sent');
  const lost = differenceOf(sent.query.split('&'), arrived.query.split('&'));
  return fails(
    `${lost} does not arrive as sent`,
    'Let the proxy pass the query on as it came, without adding, decoding or dropping parameters.',
  );
}

async function lookAtEncoding(probe: S3Probe): Promise<Finding> {
  const sent = 'identity';
  const echo = await probe.echo({ method: 'GET', headers: { 'Accept-Encoding': sent } });
  if (echo.kind === 'none') return unseen(echo);
  const arrived = echo.arrived.headers.get('accept-encoding') ?? '';
  if (arrived === sent) return ok('arrives as sent');
  return warns(
    `${sent} arrives as ${arrived || 'nothing'}; identity and gzip are verified all the same`,
    'Let the proxy leave Accept-Encoding alone, or clients that sign other values of it are refused.',
  );
}

/** Each may be signed by a client, and means something to the gateway. */
const HEADERS: Readonly<Record<string, string>> = {
  Range: 'bytes=1-2',
  'If-Match': '"a"',
  'If-None-Match': '*',
  'If-Modified-Since': 'Fri, 02 Jan 2026 03:04:05 GMT',
  'If-Unmodified-Since': 'Fri, 02 Jan 2026 03:04:05 GMT',
  'Cache-Control': 'no-cache',
  'Content-Type': 'text/plain; charset=utf-8',
  'Content-MD5': '1B2M2Y8AsgTpgAmY7PhCfg==',
  'Content-Encoding': 'gzip',
  'Content-Disposition': 'attachment; filename="a b.txt"',
  'Content-Language': 'en',
  'x-amz-meta-doctor': 'one, two',
  'x-amz-copy-source': '/bucket/a%20b',
  'amz-sdk-invocation-id': '00000000-0000-0000-0000-000000000000',
  'amz-sdk-request': 'attempt=1; max=3',
};

async function lookAtHeaders(probe: S3Probe): Promise<Finding> {
  const echo = await probe.echo({ method: 'PUT', headers: HEADERS, body: Buffer.from('body') });
  if (echo.kind === 'none') return unseen(echo);
  const changed = changedHeaders(echo).map(
    (name) => `${name} (${echo.arrived.headers.get(name) || 'lost'})`,
  );
  if (changed.length === 0) return ok(`${Object.keys(HEADERS).length} of them arrive as sent`);
  return fails(
    `changed on the way: ${changed.join(', ')}`,
    'Let the proxy pass on every header, without a rule for any of these.',
  );
}

/** Names that clients may give to metadata, and that proxies take for an attack on CGI. */
const METADATA: Readonly<Record<string, string>> = {
  'x-amz-meta-under_score': 'kept',
  'x-amz-meta-dotted.name': 'kept',
};

async function lookAtMetadata(probe: S3Probe): Promise<Finding> {
  const echo = await probe.echo({ method: 'PUT', headers: METADATA, body: Buffer.from('body') });
  if (echo.kind === 'none') return unseen(echo);
  const lost = changedHeaders(echo);
  if (lost.length === 0) return ok('names with _ and . arrive');
  return warns(
    `lost on the way: ${lost.join(', ')}; uploads with metadata of such names are refused`,
    'Let the proxy pass such names on. nginx: underscores_in_headers on and ignore_invalid_headers off. Caddy: name what your clients use in expected_underscore_headers and expected_dot_headers.',
  );
}

/** AWS takes 8 KB; these are about 7, in a few headers and a long query as of a presigned URL. */
async function lookAtHeaderSize(probe: S3Probe): Promise<Finding> {
  const request: S3Request = {
    method: 'GET',
    rawQuery: queryOf([['x-long', 'q'.repeat(3000)]]),
    headers: { 'x-amz-meta-long': 'm'.repeat(1900), 'x-amz-meta-longer': 'n'.repeat(1900) },
  };
  const echo = await probe.echo(request);
  const remedy =
    'Let the proxy take 16 KiB of headers. nginx: large_client_header_buffers 4 16k. HAProxy: tune.bufsize.';
  if (echo.kind === 'none') return fails(`7 KiB of headers do not arrive: ${echo.says}`, remedy);
  const isWhole = echo.sent.query === echo.arrived.query && changedHeaders(echo).length === 0;
  return isWhole ? ok('7 KiB arrive') : fails('7 KiB of headers are cut', remedy);
}

async function lookAtMethods(probe: S3Probe): Promise<Finding> {
  for (const method of ['GET', 'PUT', 'POST', 'DELETE']) {
    const rawQuery = method === 'POST' ? 'uploads=' : '';
    const echo = await probe.echo({ method, rawKey: probe.keyOf('nothing'), rawQuery });
    const remedy = 'Let the proxy pass on GET, HEAD, PUT, POST, DELETE and OPTIONS as they are.';
    if (echo.kind === 'none') return fails(`${method}: ${echo.says}`, remedy);
    const { method: arrived } = echo.arrived;
    if (arrived !== method) return fails(`${method} arrives as ${arrived}`, remedy);
  }
  return ok('GET, PUT, POST and DELETE arrive as sent');
}

/** The names of signed headers that arrived otherwise; the host has a check of its own. */
function changedHeaders({ sent, arrived }: Arrival): readonly string[] {
  return [...sent.headers.keys()].filter(
    (name) => name !== 'host' && sent.headers.get(name) !== arrived.headers.get(name),
  );
}

type Arrival = { readonly sent: Canonical; readonly arrived: Canonical };

function differenceOf(sent: readonly string[], arrived: readonly string[]): string {
  const lost = sent.find((one) => !arrived.includes(one));
  return lost ?? arrived.find((one) => !sent.includes(one)) ?? 'a parameter';
}

function unseen({ says }: Extract<Echo, { kind: 'none' }>): Finding {
  return fails(
    `the request does not arrive: ${says}`,
    'Look into the log of the proxy for why it answers by itself.',
  );
}
