/** The Files API, unsigned: every request carries the account's app key. */
import { BodyPattern } from '../load/body-pattern.ts';
import type { Action, FilesAccess, ListPage, Plan } from '../load/plan.ts';
import type { Lane, RequestSource } from './protocol.ts';
import { NUMBER_MARK, openTemplateLane, type Template } from './template-lane.ts';

/** What each action is answered with. */
const STATUS: Readonly<Record<Action, number>> = {
  put: 202,
  get: 200,
  head: 200,
  delete: 200,
  list: 200,
  'list-delimiter': 200,
};

/** Names in a page of a listing. */
export const LIST_PAGE_NAMES = 1000;

export function filesSource(plan: Plan, access: FilesAccess): RequestSource {
  const { action, sizeBytes } = plan;
  const pattern = action === 'put' || action === 'get' ? new BodyPattern(sizeBytes) : undefined;
  return {
    status: STATUS[action],
    answersWithoutBody: action === 'head',
    sentBodyBytes: action === 'put' ? sizeBytes : 0,
    requestsMax: Number.MAX_SAFE_INTEGER,
    answerPattern: action === 'get' ? pattern : undefined,
    openLane: () =>
      action === 'list'
        ? openListLane(plan, access)
        : openTemplateLane(templateOf(plan, access, pattern)),
  };
}

function templateOf(plan: Plan, access: FilesAccess, pattern: BodyPattern | undefined): Template {
  const head = headOf(plan, access);
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
      const text = head(`POST /upload?file_name=${name}`, fields);
      return { text, upload: pattern, answerBytes: undefined, numberOf: once };
    }
    case 'get':
    case 'head': {
      const method = action.toUpperCase();
      const text = head(`${method} /download-stream?file_name=${name}`);
      return { text, upload: undefined, answerBytes: sizeBytes, numberOf: round };
    }
    case 'delete': {
      const body = `{"file_name":"${name}"}`;
      const fields = ['Content-Type: application/json', `Content-Length: ${body.length}`];
      const text = head('POST /deleteFile', fields) + body;
      return { text, upload: undefined, answerBytes: undefined, numberOf: once };
    }
    case 'list':
    case 'list-delimiter':
      throw new Error(`The Files API has no requests of names for ${action}.`);
  }
}

/** Pages in turn, with cursors that were collected before the clock started. */
function openListLane(plan: Plan, access: FilesAccess): Lane {
  const head = headOf(plan, access);
  const exchanges = plan.pages.map(({ cursor, answerBytes }) => {
    const text = head(`GET ${listPath(plan.objects.prefix, cursor)}`);
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

function headOf(plan: Plan, { appKey }: FilesAccess) {
  return (line: string, fields: readonly string[] = []): string => {
    const lines = [
      `${line} HTTP/1.1`,
      `Host: ${plan.host}:${plan.port}`,
      `Authorization: ApiKey ${appKey}`,
      ...fields,
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  };
}

function listPath(prefix: string, cursor: string | undefined): string {
  const query = new URLSearchParams({ limit: String(LIST_PAGE_NAMES), prefix });
  if (cursor !== undefined) query.set('cursor', cursor);
  return `/files?${query}`;
}

/**
 * Walks a whole listing once; throws when it does not hold exactly `names` names in their order.
 */
export async function collectFilesPages(
  target: { readonly url: string; readonly access: FilesAccess },
  listing: { readonly prefix: string; readonly names: number },
): Promise<readonly ListPage[]> {
  const pages: ListPage[] = [];
  const headers = { authorization: `ApiKey ${target.access.appKey}` };
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
