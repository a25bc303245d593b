/** Proves that the pages of a listing over HTTP are together the whole, whatever their size. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../wire/http-client.ts';
import { type Holder, openAccount, startServer } from '../wire/service.ts';
import { runsOf } from '../world/effort.ts';

const server = await startServer();

type Page = { readonly files: readonly string[]; readonly prefixes: readonly string[] };

async function pagesOf(holder: Holder, query: string, limit: number): Promise<readonly Page[]> {
  const pages: Page[] = [];
  let cursor: unknown;
  do {
    const after = cursor === undefined ? '' : `&cursor=${cursor}`;
    const { status, json, text } = await holder.call(`GET /files?${query}&limit=${limit}${after}`);
    assert.equal(status, 200, text);
    pages.push({
      files: (json['files'] as readonly Json[]).map((file) => String(file['file_name'])),
      prefixes: json['prefixes'] as readonly string[],
    });
    cursor = json['next_cursor'] ?? undefined;
    assert(pages.length < 200, 'the pages do not end');
  } while (cursor !== undefined);
  return pages;
}

/** What a listing is, said plainly: names in order of their bytes, rolled up at the delimiter. */
function listed(names: readonly string[], prefix: string, delimiter: string): Page {
  const files: string[] = [];
  const prefixes = new Set<string>();
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const at = delimiter === '' ? -1 : name.indexOf(delimiter, prefix.length);
    if (at < 0) files.push(name);
    else prefixes.add(name.slice(0, at + delimiter.length));
  }
  const inOrder = (list: Iterable<string>) =>
    [...list].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return { files: inOrder(files), prefixes: inOrder(prefixes) };
}

const piece = fc.string({
  unit: fc.constantFrom('a', 'b', '/', '-', '\uFFFD', '🐈', 'é', '~', ' ', '%', '_'),
  maxLength: 6,
});
const name = piece.map((text) => {
  const segments = text.split('/').filter((segment) => segment !== '');
  return segments.length === 0 ? 'a' : segments.join('/');
});

test('any page size gives the same listing, for any names, prefix and delimiter', async () => {
  let made = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(name, { minLength: 1, maxLength: 20 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '/', '🐈'), maxLength: 2 }),
      fc.constantFrom('', '/', 'a', '🐈', '//', '-'),
      fc.integer({ min: 1, max: 25 }),
      async (names, prefix, delimiter, limit) => {
        made += 1;
        const holder = await openAccount(server, `lister-${made}`);
        for (const one of names) await holder.upload(one, '');
        const query = `prefix=${encodeURIComponent(prefix)}&delimiter=${encodeURIComponent(delimiter)}`;
        const pages = await pagesOf(holder, query, limit);
        const expected = listed(names, prefix, delimiter);
        assert.deepEqual(
          {
            files: pages.flatMap((page) => page.files),
            prefixes: pages.flatMap((page) => page.prefixes),
          },
          expected,
        );
        const full = pages.slice(0, -1);
        assert(full.every(({ files, prefixes }) => files.length + prefixes.length === limit));
      },
    ),
    { numRuns: runsOf({ short: 25, long: 1000 }) },
  );
});

test('a listing goes on past what was deleted and shows what was added behind it', async () => {
  const holder = await openAccount(server, 'mover');
  for (const one of ['a', 'b', 'c', 'd']) await holder.upload(one, '');
  const first = await holder.call('GET /files?limit=2');
  await holder.call('POST /deleteFile', { file_name: 'b' });
  await holder.call('POST /deleteFile', { file_name: 'c' });
  await holder.upload('aa', '');
  await holder.upload('cc', '');
  const rest = await holder.call(`GET /files?cursor=${first.json['next_cursor']}`);
  assert.deepEqual(
    (rest.json['files'] as readonly Json[]).map((file) => file['file_name']),
    ['cc', 'd'],
  );
});
