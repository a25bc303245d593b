import { isServiceError } from '../../../core/errors.ts';
import { listBuckets as pageOfBuckets } from '../../../core/objects/buckets/buckets.ts';
import { xmlElement, xmlText } from '../../../kit/xml/xml-format.ts';
import { ownerElement } from '../access/owner.ts';
import type { S3Deps } from '../deps.ts';
import { answerXml } from '../wire/answers.ts';
import type { ServiceCall } from '../wire/exchange.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { xmlTime } from '../wire/xml-time.ts';

/** AWS answers all of up to 10,000 unless it is asked for pages. */
const BUCKETS_MAX = 10_000;

/** ListBuckets: the caller's own, in order of name. */
export async function listBuckets(deps: S3Deps, call: ServiceCall): Promise<void> {
  const { query } = call.head;
  const { principal } = call.caller;
  if (principal === undefined) throw new S3Refusal('AccessDenied');
  const limit = limitOf(query.get('max-buckets'));
  const region = query.get('bucket-region');
  const isElsewhere = region !== undefined && region !== deps.settings.region;
  const page = isElsewhere
    ? { buckets: [], next: undefined }
    : await translated(() =>
        pageOfBuckets(deps, {
          principal,
          prefix: query.get('prefix') ?? '',
          after: positionOf(query.get('continuation-token')),
          limit: limit ?? BUCKETS_MAX,
        }),
      );
  const isPaged = limit !== undefined;
  const buckets = page.buckets.map(({ name, createdAt }) =>
    xmlElement(
      'Bucket',
      xmlText('Name', name),
      xmlText('CreationDate', xmlTime(createdAt)),
      isPaged ? xmlText('BucketRegion', deps.settings.region) : undefined,
    ),
  );
  answerXml(
    call,
    'ListAllMyBucketsResult',
    ownerElement('Owner', principal),
    xmlElement('Buckets', ...buckets),
    xmlText('Prefix', query.get('prefix')),
    page.next === undefined ? undefined : xmlText('ContinuationToken', tokenOf(page.next)),
  );
}

function limitOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= BUCKETS_MAX) return limit;
  throw invalidArgument(
    `Argument max-buckets must be an integer between 1 and ${BUCKETS_MAX}`,
    'max-buckets',
    text,
  );
}

/** A token that was not made here would be read as some position or other. */
function positionOf(token: string | undefined): string | undefined {
  if (token === undefined || token === '') return undefined;
  const name = Buffer.from(token, 'base64url').toString('utf8');
  if (tokenOf(name) === token) return name;
  throw tokenUnknown();
}

function tokenOf(name: string): string {
  return Buffer.from(name, 'utf8').toString('base64url');
}

function tokenUnknown(): S3Refusal {
  return invalidArgument('The continuation token provided is incorrect', 'continuation-token');
}

async function translated<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isServiceError(error, 'invalid_cursor')) throw error;
    throw tokenUnknown();
  }
}
