/** Listings over S3, walked once before the clock starts so that their pages can be asked again. */
import { EMPTY_SHA256 } from '../../src/kit/sigv4/sign.ts';
import type { ListPage, S3Access } from '../load/plan.ts';
import { S3Signer } from './s3-signer.ts';

export type S3Listing = {
  readonly prefix: string;
  readonly delimiter: string | undefined;
};

const PAGE_KEYS = 1000;

/** In canonical form: names in order, everything but unreserved characters escaped. */
export function listQuery({
  prefix,
  delimiter,
  cursor,
}: S3Listing & { readonly cursor: string | undefined }): string {
  const values = {
    'continuation-token': cursor,
    delimiter,
    'list-type': '2',
    'max-keys': String(PAGE_KEYS),
    prefix,
  };
  return Object.entries(values)
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
    )
    .join('&');
}

/** Throws when the listing does not hold exactly `entries` keys or prefixes in their order. */
export async function collectS3Pages(
  target: { readonly host: string; readonly access: S3Access },
  listing: S3Listing & { readonly entries: number },
): Promise<readonly ListPage[]> {
  const pages: ListPage[] = [];
  let cursor: string | undefined;
  let last = '';
  let seen = 0;
  do {
    const page = await readPage(target, listQuery({ ...listing, cursor }));
    for (const entry of page.entries) {
      if (entry <= last) throw new Error(`The listing is out of order at ${entry}.`);
      last = entry;
    }
    seen += page.entries.length;
    pages.push({ cursor, answerBytes: page.bytes });
    cursor = page.next;
  } while (cursor !== undefined);
  if (seen === listing.entries) return pages;
  throw new Error(`The listing holds ${seen} entries and should hold ${listing.entries}.`);
}

async function readPage(
  { host, access }: { readonly host: string; readonly access: S3Access },
  query: string,
) {
  const path = `/${access.bucket}`;
  const request = { method: 'GET', path, query, payloadHash: EMPTY_SHA256 };
  const headers = new S3Signer(access, host).headersOf(request);
  const answer = await fetch(`http://${host}${path}?${query}`, { headers });
  const body = await answer.text();
  if (answer.status !== 200) throw new Error(`A listing was answered ${answer.status}: ${body}`);
  const isTruncated = body.includes('<IsTruncated>true</IsTruncated>');
  return {
    // Keys of the benchmarks need no escapes, and a page holds either keys or prefixes.
    entries: [...body.matchAll(/<Key>([^<]*)<|<CommonPrefixes><Prefix>([^<]*)</g)].map(
      ([, key, prefix]) => key ?? prefix ?? '',
    ),
    next: isTruncated
      ? /<NextContinuationToken>([^<]*)</.exec(body)?.[1]?.replaceAll('&#34;', '"')
      : undefined,
    bytes: Buffer.byteLength(body),
  };
}
