/** The Files API, unsigned: every request carries the account's app key. */
import { BodyPattern } from '../load/body-pattern.ts';
import type { Action, ListPage, Plan } from '../load/plan.ts';
import type { Lane, RequestSource } from './protocol.ts';
import { NUMBER_MARK, openTemplateLane, type Template } from './template-lane.ts';

/** What each action is answered with. */
const STATUS: Readonly<Record<Action, number>> = {
  put: 202,
  get: 200,
  head: 200,
  delete: 200,
  list: 200,
};

/** Names in a page of a listing. */
export const LIST_PAGE_NAMES = 1000;

export function filesSource(plan: Plan): RequestSource {
  const { action, sizeBytes } = plan;
  const pattern = action === 'put' || action === 'get' ? new BodyPattern(sizeBytes) : undefined;
  return {
    status: STATUS[action],
    answersWithoutBody: action === 'head',
    sentBodyBytes: action === 'put' ? sizeBytes : 0,
    answerPattern: action === 'get' ? pattern : undefined,
    openLane: () =>
      action === 'list' ? openListLane(plan) : openTemplateLane(templateOf(plan, pattern)),
  };
}

function templateOf(plan: Plan, pattern: BodyPattern | undefined): Template {
  const { action, sizeBytes, objects } = plan;
  const name = `${objects.prefix}${NUMBER_MARK}`;
  const once = (index: number) => objects.first + index;
  // A walk through all of them in steps, as `count` is a power of two and the step odd.
  const round = (index: number) => objects.first + ((index * 7919) & (objects.count - 1));
  switch (action) {
    case 'put': {
      const fields = [
        'Content-Type: application/octet-stream',
        `Content-Length: ${sizeBytes}`,
      ] as const;
      const text = headText(plan, `POST /upload?file_name=${name}`, fields);
      return { text, upload: pattern, answerBytes: undefined, numberOf: once };
    }
    case 'get':
    case 'head': {
      const method = action.toUpperCase();
      const text = headText(plan, `${method} /download-stream?file_name=${name}`);
      return { text, upload: undefined, answerBytes: sizeBytes, numberOf: round };
    }
    case 'delete': {
      const body = `{"file_name":"${name}"}`;
      const fields = ['Content-Type: application/json', `Content-Length: ${body.length}`];
      const text = headText(plan, 'POST /deleteFile', fields) + body;
      return { text, upload: undefined, answerBytes: undefined, numberOf: once };
    }
    case 'list':
      throw new Error('A listing has no names in its requests.');
  }
}

/** Pages in turn, with cursors that were collected before the clock started. */
function openListLane(plan: Plan): Lane {
  const exchanges = plan.pages.map(({ cursor, answerBytes }) => {
    const text = headText(plan, `GET ${listPath(plan.objects.prefix, cursor)}`);
    return { pieces: [Buffer.from(text, 'latin1')], number: 0, answerBytes };
  });
  return {
    next: (index) => {
      const exchange = exchanges[index % exchanges.length];
      if (exchange === undefined) throw new Error('The listing has no pages.');
      return exchange;
    },
  };
}

function headText(plan: Plan, line: string, fields: readonly string[] = []): string {
  const lines = [
    `${line} HTTP/1.1`,
    `Host: ${plan.host}:${plan.port}`,
    `Authorization: ApiKey ${plan.credential}`,
    ...fields,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function listPath(prefix: string, cursor: string | undefined): string {
  const query = new URLSearchParams({ limit: String(LIST_PAGE_NAMES), prefix });
  if (cursor !== undefined) query.set('cursor', cursor);
  return `/files?${query}`;
}

/**
 * Walks a whole listing once; throws when it does not hold exactly `names` names in their order.
 */
export async function collectListPages(
  target: { readonly url: string; readonly credential: string },
  listing: { readonly prefix: string; readonly names: number },
): Promise<readonly ListPage[]> {
  const pages: ListPage[] = [];
  const headers = { authorization: `ApiKey ${target.credential}` };
  let cursor: string | undefined;
  let last = '';
  let seen = 0;
  do {
    const answer = await fetch(`${target.url}${listPath(listing.prefix, cursor)}`, { headers });
    const body = await answer.text();
    if (answer.status !== 200) throw new Error(`A listing was answered ${answer.status}: ${body}`);
    const page = JSON.parse(body) as ListingBody;
    for (const { file_name: name } of page.files) {
      if (name <= last) throw new Error(`The listing is out of order at ${name}.`);
      last = name;
    }
    seen += page.files.length;
    pages.push({ cursor, answerBytes: Buffer.byteLength(body) });
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  if (seen === listing.names) return pages;
  throw new Error(`The listing holds ${seen} names and should hold ${listing.names}.`);
}

type ListingBody = {
  readonly files: readonly { readonly file_name: string }[];
  readonly next_cursor: string | null;
};
