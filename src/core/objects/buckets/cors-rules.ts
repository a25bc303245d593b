/**
 * Which web pages may use a bucket: its CORS document, kept as JSON, of which the REST dialect
 * shows the origins and the S3 dialect the whole.
 */
import { ServiceError } from '../../errors.ts';
import { CORS_ORIGIN_LENGTH_MAX, CORS_RULES_MAX } from '../../limits.ts';

/** As AWS has it: an origin or a header may hold one `*`, methods are words of HTTP. */
export type CorsRule = {
  readonly id?: string;
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number;
};

/** The rules of a bucket's document; none when there is no document. */
export function corsRulesOf(document: string | undefined): readonly CorsRule[] {
  return document === undefined ? [] : JSON.parse(document);
}

/** The document of rules, as `BucketChange` takes it: without rules it is removed. */
export function corsDocumentOf(rules: readonly CorsRule[]): string | null {
  return rules.length === 0 ? null : JSON.stringify(rules);
}

/** The origins that the rules name, each once. */
export function corsOriginsOf(rules: readonly CorsRule[]): readonly string[] {
  return [...new Set(rules.flatMap(({ allowedOrigins }) => allowedOrigins))];
}

/**
 * The one rule by which pages of these origins may do everything; none for no origins. Throws
 * `invalid_field` naming `field`.
 */
export function simpleCorsRules(origins: readonly string[], field: string): readonly CorsRule[] {
  if (origins.length === 0) return [];
  if (origins.length > CORS_RULES_MAX) {
    throw invalidField(field, `At most ${CORS_RULES_MAX} origins.`);
  }
  const wrong = origins.find((origin) => !isOriginPattern(origin));
  if (wrong !== undefined) {
    const shown = JSON.stringify(wrong.slice(0, 50));
    throw invalidField(field, `${shown} is no origin like https://app.example.org, nor *.`);
  }
  return [
    {
      allowedOrigins: [...new Set(origins)],
      allowedMethods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
      allowedHeaders: ['*'],
      exposeHeaders: ['ETag', 'x-amz-*', 'Content-Range', 'Content-Length'],
    },
  ];
}

/** `*`, or what a browser sends as `Origin`, with at most one `*` in it. */
function isOriginPattern(text: string): boolean {
  if (text === '*') return true;
  return (
    text.length <= CORS_ORIGIN_LENGTH_MAX &&
    /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\p{Cc}]+$/iu.test(text) &&
    text.split('*').length <= 2
  );
}

function invalidField(field: string, message: string): ServiceError {
  return new ServiceError('invalid_field', message, { details: { field } });
}
