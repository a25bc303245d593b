/** Which operation a request asks for: method, sub-resource, then headers (contracts/s3.md). */
import type { RequestHead } from '../wire/request-head.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { OPERATIONS, type OperationName, SUBRESOURCES } from './operation-table.ts';

type Asked = Pick<RequestHead, 'method' | 'address' | 'query' | 'headers'>;

/**
 * Pure. Throws `MethodNotAllowed`, `NotImplemented` for a sub-resource that is not served with the
 * method, `InvalidArgument` and `InvalidRequest` for contradictions.
 */
export function detectOperation(asked: Asked): OperationName {
  const { method, address, query, headers } = asked;
  const isCopy = headers['x-amz-copy-source'] !== undefined;
  if (isCopy && method !== 'PUT') {
    throw invalidArgument('x-amz-copy-source goes with PUT only.', 'x-amz-copy-source');
  }
  if (address.kind === 'service') {
    if (method === 'GET') return 'ListBuckets';
    throw new S3Refusal('MethodNotAllowed', undefined, { Method: method });
  }
  const isPart = query.has('partNumber') || query.has('uploadId');
  if (method === 'PUT' && address.kind === 'object' && isPart) return detectPart(query, isCopy);
  const parameter = query.size === 0 ? '' : subresourceOf(asked);
  const found = BY_PARAMETER[address.kind].get(`${method} ${parameter}`);
  if (found === undefined) throw unserved(asked, parameter);
  if (found === 'PutObject' && isCopy) return 'CopyObject';
  if (found === 'ListObjects' && query.has('list-type')) return detectListing(query);
  return found;
}

/** Operations by method and parameter. */
const BY_PARAMETER = {
  bucket: operationsOn('bucket'),
  object: operationsOn('object'),
} as const;

function operationsOn(on: 'bucket' | 'object'): ReadonlyMap<string, OperationName> {
  const names = Object.keys(OPERATIONS) as OperationName[];
  return new Map(
    names
      .filter((name) => OPERATIONS[name].on === on)
      .map((name) => [`${OPERATIONS[name].method} ${OPERATIONS[name].parameter}`, name]),
  );
}

/** Throws `InvalidArgument` for two at once, of which one would be dropped. */
function subresourceOf({ query }: Asked): string {
  const [name = '', another] = SUBRESOURCES.filter((one) => query.has(one));
  if (another === undefined) return name;
  throw invalidArgument(
    `Conflicting query string parameters: ${name}, ${another}`,
    'ResourceType',
    name,
  );
}

function unserved({ method, address }: Asked, parameter: string): S3Refusal {
  if (
    address.kind === 'object' &&
    method === 'GET' &&
    ['uploads', 'versions'].includes(parameter)
  ) {
    return new S3Refusal('InvalidRequest', `There is no ?${parameter} of a key.`);
  }
  if (parameter === '') return new S3Refusal('MethodNotAllowed', undefined, { Method: method });
  const place = address.kind === 'object' ? 'key' : 'bucket';
  return new S3Refusal('NotImplemented', `${method} ?${parameter} of a ${place} is not served.`, {
    Header: parameter,
  });
}

/** A part is never taken for a whole object, whatever is missing of its address. */
function detectPart(query: ReadonlyMap<string, string>, isCopy: boolean): OperationName {
  const missing = ['uploadId', 'partNumber'].find((name) => !query.has(name));
  if (missing !== undefined) throw invalidArgument(`A part has a ${missing}.`, missing, '');
  return isCopy ? 'UploadPartCopy' : 'UploadPart';
}

function detectListing(query: ReadonlyMap<string, string>): OperationName {
  const type = query.get('list-type') ?? '';
  if (type === '2') return 'ListObjectsV2';
  if (type === '1' || type === '') return 'ListObjects';
  throw invalidArgument('list-type is 2.', 'list-type', type);
}
