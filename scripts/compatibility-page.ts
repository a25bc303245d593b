/** docs/compatibility/s3.md, from the table by which S3 requests are dispatched. */
import { OPERATIONS, type Operation } from '../src/dialects/s3/operations/operation-table.ts';
import {
  UNSERVED_OPERATIONS,
  type UnservedOperation,
} from '../src/dialects/s3/operations/unserved-operations.ts';
import { ANYWHERE } from '../src/dialects/s3/parameters/header-groups.ts';
import type {
  OperationParameters,
  ParameterRules,
} from '../src/dialects/s3/parameters/parameter-rules.ts';
import { PARAMETERS } from '../src/dialects/s3/parameters/parameter-table.ts';
import { S3_CODES } from '../src/dialects/s3/wire/s3-codes.ts';

export function compatibilityPage(): string {
  const operations: readonly (readonly [string, Operation])[] = Object.entries(OPERATIONS);
  const sections = (
    [
      ['service', 'The service'],
      ['bucket', 'Buckets'],
      ['object', 'Objects'],
    ] as const
  ).map(([on, title]) => {
    const rows = operations.filter(([, operation]) => operation.on === on).map(rowOf);
    return `## ${title}\n\n| operation | request | served | |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
  });
  const unserved = UNSERVED_OPERATIONS.map(unservedRow).join('\n');
  const taken = Object.entries(PARAMETERS).map(parametersRow).join('\n');
  const parts = [HEAD, sections.join('\n'), `${UNSERVED}\n${unserved}\n`];
  return [...parts, `${PARAMETERS_HEAD}\n${taken}\n`, TAIL].join('\n');
}

function parametersRow([name, rules]: readonly [string, OperationParameters]): string {
  const { headers, query, elements } = rules;
  const all = [headers, query, elements];
  const each = (of: (rules: ParameterRules) => readonly string[]) =>
    all.flatMap(of).map(codeText).join(', ');
  const refused = each((one) => Object.keys(one.refused));
  return `| ${name} | ${each((one) => one.honoured)} | ${each((one) => one.harmless)} | ${refused} |`;
}

const codeText = (name: string) => `\`${name}\``;

const PARAMETERS_HEAD = `## Parameters

Every header, query parameter and element of a document that S3's public service model has for an
operation is honoured, harmless or refused: none is dropped. What a row below does not have, and no
request may bear, is answered 501 \`NotImplemented\` with its name as \`<Header>\` or \`<Element>\`
before anything is changed; so is a parameter that S3 gets one day. Those under "refused" are
answered so, or with the code that S3 has for them. A field of a form is taken as the header of
PutObject. Names in the query that S3 does not know are left alone.

Any request may bear ${[...ANYWHERE.honoured, ...ANYWHERE.harmless].map(codeText).join(', ')}
and what begins with ${ANYWHERE.prefixes.map(codeText).join(', ')}.

| operation | honoured | harmless | refused |
| --- | --- | --- | --- |`;

function rowOf([name, { method, on, parameter, support }]: readonly [string, Operation]): string {
  const path = { service: '/', bucket: '/{bucket}', object: '/{bucket}/{key}' }[on];
  const [, query = '', header = ''] = /^([^(]*?) ?(\(.*\))?$/.exec(parameter) ?? [];
  const selected = `${path}${query === '' ? '' : `?${query}`}`;
  const request = `\`${method} ${selected}\`${header === '' ? '' : ` ${header}`}`;
  if (support.kind === 'served') return `| ${name} | ${request} | yes | ${support.note ?? ''} |`;
  const { status } = S3_CODES[support.code];
  return `| ${name} | ${request} | no | ${status} \`${support.code}\`: ${support.reason} |`;
}

function unservedRow({ name, method, on, parameter, reason }: UnservedOperation): string {
  const path = on === 'bucket' ? '/{bucket}' : '/{bucket}/{key}';
  return `| ${name} | \`${method} ${path}?${parameter}\` | ${reason} |`;
}

const UNSERVED = `## Not served

Each of these is answered 501 \`NotImplemented\`, and never taken for another operation.

| operation | request | why not |
| --- | --- | --- |`;

const HEAD = `# S3 compatibility

Written by \`npm run docs\` from \`src/dialects/s3/operations/operation-table.ts\` and
\`src/dialects/s3/parameters\`; a test holds them together.

Path-style addresses and Signature Version 4 only, over HTTP and TLS, with any region.
`;

const TAIL = `## What differs from AWS, and why

- Virtual-hosted addresses (\`bucket.host\`) are not served: clients are set to path-style ones. One
  whose bucket is the caller's own, before the public host, is refused with 400 \`InvalidRequest\`.
- Signature Version 2 is not served. \`s3cmd signurl\` always makes SigV2 URLs and so cannot work.
  boto3, AWS CLI v1 and django-storages sign links by version 2 too where the region is one of the
  eight that are older than version 4 (\`us-east-1\` among them): see the next section. Every other
  SDK and AWS CLI v2 make good ones.
- Any region is accepted unless \`PINFOLD_S3_STRICT_REGION=yes\`.
- A signature is also tried with the configured public host, with and without the default port, and
  with the \`Accept-Encoding\` values that SDKs sign, because proxies rewrite both.
- Checksums in the query of a presigned URL are ignored: the JavaScript SDK signs that of an empty
  body there.
- Control characters of keys stand in listings of objects as references (\`&#1;\`), as AWS writes them,
  which XML 1.0 does not know: s3fs and s3cmd cannot list a folder with such a key. Whoever asks for
  \`encoding-type=url\` can. Listings of uploads and parts, for which SDKs never ask so, write U+FFFD
  there; \`NextUploadIdMarker\` then bears the key as well.
- \`curl --aws-sigv4\` of older versions leaves out a header that S3 requires: give it
  \`-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD'\`.
- Chunks of any size are accepted in streamed bodies; AWS wants 8 KiB of all but the last.
- Beside SHA512 and the xxHash family CRC64NVME is kept and answered too: the default JavaScript
  client ends at an answer that has no checksum which it can check. A copy of what the Files API
  wrote has no checksum unless it asks for one.
- A part's checksum is answered to \`partNumber\` and to a range that is exactly the part.
- \`NextMarker\` stands in every truncated listing of version 1.
- Deleting a bucket aborts its open multipart uploads.
- Quotas count rows too: each object, open upload and part at least 1,024 bytes beside its own
  ([operating.md](../operating.md#what-counts-against-a-quota)). CreateMultipartUpload is refused
  where nothing is left, as every write is; deletes, aborts and reads are not.
- An account has at most 10,000 multipart uploads open, of which AWS knows no bound: one more is
  InvalidRequest, which clients do not repeat, as they would SlowDown.
- A repeated CompleteMultipartUpload answers the same 200 for a day, of the newest 10,000 of an
  account.
- Storage classes are labels; objects of every class are read at once.
- ACLs are private; a bucket is opened for anonymous reading by \`PATCH /api/s3/bucket\`. The canned
  \`public-read\` is accepted for objects of a bucket that is open so, and refused elsewhere.
- \`x-amz-server-side-encryption: AES256\` is accepted and not echoed: nothing is encrypted at rest.
- \`x-amz-if-match-size\` and \`x-amz-if-match-last-modified-time\` guard deletes in every bucket; AWS
  has them in directory buckets only.

## What to set in clients

| client | setting |
| --- | --- |
| boto3 | \`Config(signature_version="s3v4", s3={"addressing_style": "path"})\`, or a region that is newer than version 4, such as \`auto\` |
| AWS CLI v1 | \`aws configure set default.s3.signature_version s3v4\`, or the region \`auto\` |
| django-storages | \`signature_version="s3v4"\`, \`addressing_style="path"\`, \`region_name="auto"\`, \`endpoint_url\` |
| obstore, delta-rs, Polars, Lance | \`virtual_hosted_style_request=False\`; over plain HTTP \`allow_http\` |
| s5cmd | \`--endpoint-url\` or \`S3_ENDPOINT_URL\`: it does not read \`AWS_ENDPOINT_URL\` |
| AWS SDK for JavaScript | \`forcePathStyle: true\` |

The clients of all rows run in \`tests/clients/s3\`.
`;
