/** The S3 API: every request is signed before the clock starts and only copied while it runs. */
import { EMPTY_SHA256 } from '../../src/kit/sigv4/sign.ts';
import { BodyPattern } from '../load/body-pattern.ts';
import type { Action, ListPage, Plan, S3Access } from '../load/plan.ts';
import type { Lane, RequestSource } from './protocol.ts';
import { listQuery } from './s3-listing.ts';
import { S3Signer } from './s3-signer.ts';
import { openSignedLane, SignedRequests } from './signed-requests.ts';

/** What each action is answered with. */
const STATUS: Readonly<Record<Action, number>> = {
  put: 200,
  get: 200,
  head: 200,
  delete: 204,
  list: 200,
  'list-delimiter': 200,
};

export function s3Source(plan: Plan, access: S3Access): RequestSource {
  const { action, sizeBytes } = plan;
  const signer = new S3Signer(access, `${plan.host}:${plan.port}`);
  const source = {
    status: STATUS[action],
    answersWithoutBody: action === 'head',
    sentBodyBytes: action === 'put' ? sizeBytes : 0,
  };
  if (action === 'list' || action === 'list-delimiter') {
    const requests = plan.pages.map((page) => pageRequest({ plan, access, signer }, page));
    return {
      ...source,
      requestsMax: Number.MAX_SAFE_INTEGER,
      answerPattern: undefined,
      openLane: () => openListLane(plan.pages, requests),
    };
  }
  const pattern = action === 'put' || action === 'get' ? new BodyPattern(sizeBytes) : undefined;
  const requests = new SignedRequests({ plan, bucket: access.bucket, signer, pattern });
  return {
    ...source,
    requestsMax: requests.requestsMax,
    answerPattern: action === 'get' ? pattern : undefined,
    openLane: () => openSignedLane(requests),
  };
}

function pageRequest(
  at: { readonly plan: Plan; readonly access: S3Access; readonly signer: S3Signer },
  { cursor }: ListPage,
): Buffer {
  const { plan, access, signer } = at;
  const path = `/${access.bucket}`;
  const delimiter = plan.action === 'list-delimiter' ? '/' : undefined;
  const query = listQuery({ prefix: plan.objects.prefix, delimiter, cursor });
  const payloadHash = EMPTY_SHA256;
  const headers = signer.headersOf({ method: 'GET', path, query, payloadHash });
  const lines = [
    `GET ${path}?${query} HTTP/1.1`,
    `host: ${signer.host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

function openListLane(pages: readonly ListPage[], requests: readonly Buffer[]): Lane {
  const exchanges = pages.map(({ answerBytes }, at) => {
    return { pieces: requests.slice(at, at + 1), number: 0, answerBytes };
  });
  return {
    next: (index) => {
      const exchange = exchanges[index % exchanges.length];
      if (exchange === undefined) throw new Error('The listing has no pages.');
      return exchange;
    },
  };
}
