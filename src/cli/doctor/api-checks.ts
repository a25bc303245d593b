/** What a proxy breaks of the Files API: queries, credentials, bodies and ranges. */
import { checkBodySize } from './body-checks.ts';
import { type Check, type Finding, fails, ok } from './check.ts';
import { type Answered, exchange, type Outcome, type RawRequest, type Site } from './exchange.ts';

export type ApiSubject = {
  readonly site: Site;
  readonly token: string;
  /** What the names of the files that may be written begin with. */
  readonly prefix: string;
};

type ApiCheck = Check<ApiSubject>;

const TEXT = Buffer.from('All that is stored comes back as it was. '.repeat(2000));
const LARGE = Buffer.alloc(9 * 1024 * 1024, TEXT);
/** Marks that a proxy which decodes and encodes anew gets wrong. */
const ODD_NAME = 'a b+c%2Fd&e=é';
const LARGE_NAME = 'large';

export const API_REACH_CHECK: Check<Site> = { name: 'reach', look: lookAtReach };

export const API_CHECKS: readonly ApiCheck[] = [
  { name: 'credential', look: lookAtCredential },
  { name: 'upload', look: lookAtUpload },
  { name: 'download', look: lookAtDownload },
  { name: 'HEAD', look: lookAtHead },
  { name: 'range', look: lookAtRange },
  { name: 'compression', look: lookAtCompression },
  { name: 'large upload', look: lookAtLarge },
  { name: 'body size', look: lookAtSize },
];

export const API_DELETE_CHECK: ApiCheck = { name: 'delete', look: removeAll };

async function lookAtReach(site: Site): Promise<Finding> {
  const outcome = await ask(site, { method: 'GET', path: '/version' });
  if (outcome.kind === 'answered' && fieldOf(outcome, 'name') === 'pinfold') {
    return ok(`${site.origin} leads to a Pinfold`);
  }
  return fails(
    `${site.origin} does not lead to the API: ${sayAnswer(outcome)}`,
    'Let the proxy pass this whole host name on to the API listener; PINFOLD_PUBLIC_URL must name it.',
  );
}

/** A field of a JSON object; `undefined` when the body is none. */
function fieldOf({ bytes }: Answered, field: string): unknown {
  try {
    const document: unknown = JSON.parse(bytes.toString());
    if (typeof document !== 'object' || document === null) return undefined;
    return new Map<string, unknown>(Object.entries(document)).get(field);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function lookAtCredential(subject: ApiSubject): Promise<Finding> {
  const outcome = await call(subject, { method: 'GET', path: '/files?limit=1' });
  if (isStatus(outcome, 200)) return ok('Authorization arrives');
  return fails(
    `the token that this server has just made is refused: ${sayAnswer(outcome)}`,
    'Let the proxy pass Authorization on, and the host name lead to this server.',
  );
}

async function lookAtUpload(subject: ApiSubject): Promise<Finding> {
  const outcome = await call(subject, {
    method: 'POST',
    path: `/upload?file_name=${nameIn(subject, ODD_NAME)}`,
    headers: ['Content-Type', 'text/plain', 'Content-Length', `${TEXT.length}`],
    body: TEXT,
  });
  if (!isStatus(outcome, 202)) return failed(outcome, 'a small file is');
  const arrived = String(fieldOf(outcome, 'file_name')).slice(subject.prefix.length);
  return arrived === ODD_NAME
    ? ok(`${TEXT.length} bytes are stored under the name that was sent`)
    : fails(`the name ${ODD_NAME} arrives as ${arrived}`, KEEP_QUERY);
}

const LET_BODIES =
  'Let the proxy pass on bodies of any size as they come. nginx: client_max_body_size 0 and proxy_request_buffering off.';
/** Refusals of the API that no proxy brings about: over quota, over a limit, out of room. */
const OWN_STATUSES = [402, 429, 507];

function failed(outcome: Outcome, what: string): Finding {
  const isOwn = OWN_STATUSES.some((status) => isStatus(outcome, status));
  return fails(
    `${what} not stored: ${sayAnswer(outcome)}`,
    isOwn ? 'Look at the account and at the server: this is no proxy.' : LET_BODIES,
  );
}

const KEEP_QUERY = 'Let the proxy pass the query on as it came.';
const KEEP_ANSWER = 'Let the proxy pass answers on with their headers, unchanged.';

async function lookAtDownload(subject: ApiSubject): Promise<Finding> {
  const outcome = await download(subject, 'GET');
  if (!isStatus(outcome, 200)) return fails(sayAnswer(outcome), KEEP_QUERY);
  if (!outcome.bytes.equals(TEXT)) return fails('other bytes come back', KEEP_ANSWER);
  return ok('bytes come back as stored');
}

async function lookAtHead(subject: ApiSubject): Promise<Finding> {
  const outcome = await download(subject, 'HEAD');
  if (!isStatus(outcome, 200)) return fails(sayAnswer(outcome), KEEP_ANSWER);
  const { 'content-length': length = 'lost' } = outcome.headers;
  return length === `${TEXT.length}`
    ? ok('comes back with the length and no body')
    : fails(`the length comes back as ${length}`, KEEP_ANSWER);
}

async function lookAtRange(subject: ApiSubject): Promise<Finding> {
  const outcome = await download(subject, 'GET', ['Range', 'bytes=4-104']);
  const isRight = isStatus(outcome, 206) && outcome.bytes.equals(TEXT.subarray(4, 105));
  const remedy = 'Let the proxy pass Range on, and the partial answer back.';
  return isRight ? ok('the range comes back') : fails(sayAnswer(outcome), remedy);
}

async function lookAtCompression(subject: ApiSubject): Promise<Finding> {
  const outcome = await download(subject, 'GET', ['Accept-Encoding', 'gzip, deflate, br, zstd']);
  const remedy = 'Let the proxy compress no files. nginx: gzip off. Caddy: no encode.';
  if (!isStatus(outcome, 200)) return fails(sayAnswer(outcome), remedy);
  const coding = outcome.headers['content-encoding'];
  return coding === undefined
    ? ok('nothing is compressed')
    : fails(`files are compressed (${coding}): their lengths and ETags no longer fit`, remedy);
}

async function lookAtLarge(subject: ApiSubject): Promise<Finding> {
  const outcome = await call(subject, {
    method: 'POST',
    path: `/upload?file_name=${nameIn(subject, LARGE_NAME)}`,
    headers: ['Content-Length', `${LARGE.length}`],
    body: LARGE,
  });
  if (isStatus(outcome, 202)) return ok('9 MiB are stored');
  return failed(outcome, '9 MiB are');
}

/** Without a credential, so that nothing would be stored whatever came. */
async function lookAtSize({ site, prefix }: ApiSubject): Promise<Finding> {
  return await checkBodySize(async (length) => {
    const outcome = await ask(site, {
      method: 'POST',
      path: `/upload?file_name=${encodeURIComponent(`${prefix}announced`)}`,
      headers: ['Content-Length', `${length}`, 'Expect', '100-continue'],
      how: 'announce',
    });
    const passes = outcome.kind === 'continued' || isStatus(outcome, 401);
    return { passes, says: sayAnswer(outcome) };
  });
}

async function removeAll(subject: ApiSubject): Promise<Finding> {
  const left: string[] = [];
  for (const name of [ODD_NAME, LARGE_NAME]) {
    const body = Buffer.from(JSON.stringify({ file_name: `${subject.prefix}${name}` }));
    const outcome = await call(subject, {
      method: 'POST',
      path: '/deleteFile',
      headers: ['Content-Type', 'application/json', 'Content-Length', `${body.length}`],
      body,
    });
    // What was never stored need not be removed.
    if (!isStatus(outcome, 200) && !isStatus(outcome, 404)) left.push(name);
  }
  if (left.length === 0) return ok('what was stored is removed');
  return fails(`may be left below ${subject.prefix}: ${left.join(', ')}`, 'Remove these files.');
}

async function download(
  subject: ApiSubject,
  method: string,
  headers: readonly string[] = [],
): Promise<Outcome> {
  const path = `/download-stream?file_name=${nameIn(subject, ODD_NAME)}`;
  return await call(subject, { method, path, headers });
}

function nameIn({ prefix }: ApiSubject, name: string): string {
  return encodeURIComponent(`${prefix}${name}`);
}

type ApiRequest = Omit<RawRequest, 'headers'> & { readonly headers?: readonly string[] };

async function call(subject: ApiSubject, request: ApiRequest): Promise<Outcome> {
  const { headers = [] } = request;
  const authorization = ['Authorization', `Bearer ${subject.token}`];
  return await ask(subject.site, { ...request, headers: [...headers, ...authorization] });
}

async function ask(site: Site, request: ApiRequest): Promise<Outcome> {
  const host = site.origin.replace(/^https?:\/\//, '');
  const headers = ['Host', host, 'User-Agent', 'pinfold-doctor', ...(request.headers ?? [])];
  return await exchange(site, { ...request, headers });
}

function isStatus(outcome: Outcome, status: number): outcome is Answered {
  return outcome.kind === 'answered' && outcome.status === status;
}

function sayAnswer(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'broken':
      return outcome.says;
    case 'continued':
      return 'a body was asked for and not sent';
    case 'answered': {
      const who = outcome.headers['x-request-id'] === undefined ? 'something else' : 'the API';
      return `${who} answers ${outcome.status}`;
    }
  }
}
