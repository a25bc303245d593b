/** Which web pages may read answers: a bucket's CORS rules held against a request. */
import { type CorsRule, corsRulesOf } from '../../../core/objects/buckets/cors-rules.ts';
import { CHECKSUM_ALGORITHMS } from '../../../kit/checksums/checksum-algorithms.ts';
import type { S3Deps } from '../deps.ts';
import { checksumHeader } from '../wire/checksum-headers.ts';
import { findBucket } from './bucket-access.ts';

type Headers = Readonly<Record<string, string>>;

/** What a page asks for. */
export type CorsRequest = {
  readonly origin: string;
  readonly method: string;
  /** The headers that it will send beyond the simple ones; none where it is sending already. */
  readonly headers: readonly string[];
};

/** What a page may read of an answer. */
export type PageAccess = {
  readonly headers: Headers;
  /** The names and patterns that the rule exposes. */
  readonly exposed: readonly string[];
};

/**
 * What lets the page of `origin` read the answer, whatever it will be; `undefined` where no rule of
 * the bucket does. `bucket` is its name as sent, `undefined` where none is addressed.
 */
export async function findPageAccess(
  deps: Pick<S3Deps, 'metadata'>,
  {
    bucket,
    origin,
    method,
  }: Omit<CorsRequest, 'headers'> & { readonly bucket: string | undefined },
): Promise<PageAccess | undefined> {
  const asked: CorsRequest = { origin, method, headers: [] };
  const rule = findCorsRule(await corsRulesAt(deps, bucket), asked);
  return rule && { headers: allowingHeaders(rule, asked), exposed: exposedBy(rule) };
}

/** The rules of the bucket of that name; none where there is no bucket or none addressed. */
export async function corsRulesAt(
  { metadata }: Pick<S3Deps, 'metadata'>,
  name: string | undefined,
): Promise<readonly CorsRule[]> {
  if (name === undefined) return [];
  const bucket = await findBucket(metadata, name);
  return corsRulesOf(bucket?.documents.cors);
}

/** The first rule that allows all that is asked; rules are never put together. */
export function findCorsRule(
  rules: readonly CorsRule[],
  { origin, method, headers }: CorsRequest,
): CorsRule | undefined {
  return rules.find(
    (rule) =>
      rule.allowedMethods.includes(method) &&
      rule.allowedOrigins.some((pattern) => isMatch(pattern, origin)) &&
      headers.every((header) =>
        rule.allowedHeaders.some((pattern) => isMatch(pattern.toLowerCase(), header.toLowerCase())),
      ),
  );
}

/** Whether `text` fits a pattern, of which one `*` stands for anything. */
function isMatch(pattern: string, text: string): boolean {
  const at = pattern.indexOf('*');
  if (at < 0) return pattern === text;
  return (
    text.length >= pattern.length - 1 &&
    text.startsWith(pattern.slice(0, at)) &&
    text.endsWith(pattern.slice(at + 1))
  );
}

/** What tells a browser that `rule` allows what it asked for. */
export function allowingHeaders(rule: CorsRule, { origin, headers }: CorsRequest): Headers {
  const { maxAgeSeconds } = rule;
  return {
    'access-control-allow-origin': rule.allowedOrigins.includes('*') ? '*' : origin,
    'access-control-allow-methods': rule.allowedMethods.join(', '),
    ...(headers.length === 0 ? {} : { 'access-control-allow-headers': headers.join(', ') }),
    'access-control-expose-headers': exposedNames(rule).join(', '),
    ...(maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(maxAgeSeconds) }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}

/** What a rule exposes that says nothing of it: SDKs and viewers in pages cannot do without. */
const EXPOSED_BY_DEFAULT: readonly string[] = [
  ...['ETag', 'x-amz-*', 'Content-Range', 'Content-Length', 'Accept-Ranges'],
  ...['Content-Disposition', 'Content-Encoding', 'Last-Modified'],
];

/** Browsers know no patterns here, so each is written out as the names that answers may bear. */
function exposedNames(rule: CorsRule): readonly string[] {
  const names = exposedBy(rule).flatMap((pattern) =>
    pattern.includes('*') ? namesOf(pattern, ANSWER_HEADERS) : [pattern],
  );
  return [...new Set(names)];
}

function exposedBy({ exposeHeaders }: CorsRule): readonly string[] {
  return exposeHeaders.length === 0 ? EXPOSED_BY_DEFAULT : exposeHeaders;
}

function namesOf(pattern: string, names: readonly string[]): readonly string[] {
  return names.filter((name) => isMatch(pattern.toLowerCase(), name.toLowerCase()));
}

/**
 * The exposure of an answer that bears headers which only its object has, as metadata: those that a
 * pattern of the rule means are written behind the names that all answers have.
 */
export function exposingAlso(
  said: string,
  exposed: readonly string[],
  names: readonly string[],
): string {
  const patterns = exposed.filter((pattern) => pattern.includes('*'));
  const more = patterns.flatMap((pattern) => namesOf(pattern, names));
  return [said, ...new Set(more)].join(', ');
}

/** Metadata apart, whose names the object has. */
const ANSWER_HEADERS: readonly string[] = [
  ...['Accept-Ranges', 'Cache-Control', 'Content-Disposition', 'Content-Encoding'],
  ...['Content-Language', 'Content-Length', 'Content-Range', 'Date', 'ETag', 'Expires'],
  ...[
    'Last-Modified',
    'Location',
    'x-amz-bucket-region',
    ...CHECKSUM_ALGORITHMS.map(checksumHeader),
  ],
  ...['x-amz-checksum-type', 'x-amz-id-2', 'x-amz-mp-parts-count'],
  ...['x-amz-request-id', 'x-amz-storage-class', 'x-amz-tagging-count', 'x-amz-version-id'],
  'x-amz-website-redirect-location',
];
