import type { S3Deps } from '../deps.ts';
import { answerEmpty } from '../wire/answers.ts';
import { CORS_METHODS } from '../wire/cors-elements.ts';
import type { Exchange } from '../wire/exchange.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { allowingHeaders, corsRulesAt, findCorsRule } from './cors.ts';

/**
 * Answers an OPTIONS, which browsers send before what pages ask for and nobody signs. Throws
 * `BadRequest`, and `AccessForbidden` in the same words whether no rule fits or there is no bucket.
 */
export async function answerPreflight(
  deps: Pick<S3Deps, 'metadata'>,
  exchange: Exchange,
): Promise<void> {
  const { headers, address } = exchange.head;
  const { origin } = headers;
  const method = headers['access-control-request-method'];
  if (origin === undefined || origin === '') {
    throw new S3Refusal('BadRequest', 'Insufficient information. Origin request header needed.');
  }
  if (method === undefined || !CORS_METHODS.has(method)) {
    throw new S3Refusal(
      'BadRequest',
      `Invalid Access-Control-Request-Method: ${method === undefined ? 'null' : method}`,
    );
  }
  const asked = {
    origin,
    method,
    headers: namesIn(headers['access-control-request-headers'] ?? ''),
  };
  const bucket = address.kind === 'service' ? undefined : address.bucket;
  const rule = findCorsRule(await corsRulesAt(deps, bucket), asked);
  if (rule === undefined) {
    throw new S3Refusal('AccessForbidden', undefined, {
      Method: method,
      ResourceType: address.kind === 'object' ? 'OBJECT' : 'BUCKET',
    });
  }
  answerEmpty(exchange, 200, allowingHeaders(rule, asked));
}

function namesIn(list: string): readonly string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
