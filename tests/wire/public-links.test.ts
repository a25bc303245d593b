/** Proves public links: what they serve, to whom, until when, and what their pages can never do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../world/fake-clock.ts';
import { assertRefused, type Json } from './http-client.ts';
import { type Holder, openAccount, startApi, startServer, tokenHeaders } from './service.ts';

const server = await startServer({ RATE_LIMIT_PASSWORD_PER_MINUTE: '5' });
const ann = await openAccount(server, 'ann');
const HTML = { accept: 'text/html,*/*' };

async function linkTo(name: string, more: Json = {}, holder: Holder = ann): Promise<string> {
  const answer = await holder.call('POST /createPublicLink', { file_name: name, ...more });
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(Object.keys(answer.json), ['link_hash']);
  assert.match(String(answer.json['link_hash']), /^[0-9a-f]{32}$/);
  return `/publicDownload?hash=${answer.json['link_hash']}`;
}

test('anyone with the link reads the file, with ranges, conditions and HEAD', async () => {
  await ann.upload('open.txt', 'open to all', 'text/html');
  const link = await linkTo('open.txt');
  const read = await server.call(`GET ${link}`);
  assert.deepEqual([read.status, read.text], [200, 'open to all']);
  assert.equal(read.headers['content-type'], 'text/html');
  assert.match(String(read.headers['content-disposition']), /^attachment; filename="open.txt"/);
  assert.equal(read.headers['content-security-policy'], "default-src 'none'; sandbox");
  const part = await server.call(`GET ${link}`, undefined, { range: 'bytes=-3' });
  assert.deepEqual([part.status, part.text], [206, 'all']);
  const head = await server.call(`HEAD ${link}`);
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '11']);
  const { etag = '' } = head.headers;
  const fresh = await server.call(`GET ${link}`, undefined, { 'if-none-match': etag });
  assert.equal(fresh.status, 304);
  const wrong = await server.call(`GET ${link}`, undefined, { range: 'bytes=11-' });
  assertRefused(wrong, 416, 'range_not_satisfiable');
});

test('a link follows its file: overwritten, renamed, moved over another, deleted', async () => {
  await ann.upload('one', 'one');
  await ann.upload('two', 'two');
  const one = await linkTo('one');
  const two = await linkTo('two');
  const texts = async () => [
    (await server.call(`GET ${one}`)).text,
    (await server.call(`GET ${two}`)).text,
  ];
  await ann.upload('one', 'changed');
  assert.deepEqual(await texts(), ['changed', 'two']);
  await ann.call('POST /renameFile', { file_name: 'one', new_file_name: 'moved' });
  assert.deepEqual(await texts(), ['changed', 'two']);
  await ann.upload('one', 'another file');
  assert.deepEqual(await texts(), ['changed', 'two']);
  const over = { file_name: 'moved', new_file_name: 'two', overwrite: true };
  assert.equal((await ann.call('POST /renameFile', over)).status, 200);
  // What took the place of a linked file was not shared by its link.
  assert.equal((await server.call(`GET ${one}`)).text, 'changed');
  assertRefused(await server.call(`GET ${two}`), 404, 'not_found');
  assert.equal((await ann.call('POST /deleteFile', { file_name: 'two' })).status, 200);
  for (const link of [one, two]) assertRefused(await server.call(`GET ${link}`), 404, 'not_found');
  await ann.upload('two', 'born again');
  for (const link of [one, two]) assertRefused(await server.call(`GET ${link}`), 404, 'not_found');
});

test('a deleted link is gone, also from the list, and is deleted once', async () => {
  await ann.upload('ended', 'x');
  const link = await linkTo('ended');
  const hash = link.split('=')[1];
  const deleted = await ann.call('POST /deletePublicLink', { link_hash: hash });
  assert.equal(deleted.status, 200);
  assert.deepEqual(Object.keys(deleted.json).sort(), ['link_hash', 'message']);
  assert.equal(deleted.json['link_hash'], hash);
  assertRefused(await server.call(`GET ${link}`), 404, 'not_found');
  assertRefused(await ann.call('POST /deletePublicLink', { link_hash: hash }), 404, 'not_found');
  for (const body of [{ link_hash: '' }, { link_hash: '\0' }, { link_hash: 'x'.repeat(5000) }]) {
    assertRefused(await ann.call('POST /deletePublicLink', body), 404, 'not_found');
  }
  const listed = (await ann.call('GET /publicLinks')).json['links'] as readonly Json[];
  assert(listed.every((row) => row['link_hash'] !== hash));
});

test('what is no link is 404 or 400, and a link to no file is not made', async () => {
  for (const hash of [
    'x',
    'A'.repeat(22),
    'a'.repeat(32),
    'A'.repeat(32),
    '..%2f..',
    '%00',
    '%C3%A9',
    '',
  ]) {
    assertRefused(await server.call(`GET /publicDownload?hash=${hash}`), 404, 'not_found');
  }
  assertRefused(await server.call('GET /publicDownload'), 400, 'invalid_field', { field: 'hash' });
  assertRefused(await server.call('GET /publicDownload?hash=a&hash=b'), 400, 'invalid_field');
  const make = (body: Json) => ann.call('POST /createPublicLink', body);
  assertRefused(await make({ file_name: 'absent' }), 404, 'not_found');
  await ann.upload('there', 'x');
  for (const [field, value] of [
    ['custom_title', 7],
    ['custom_title', 'x'.repeat(1025)],
    ['custom_title', 'a\0b'],
    ['custom_title', '\ud800'],
    ['custom_description', {}],
    ['custom_description', 'x'.repeat(1025)],
    ['custom_description', '\0'],
    ['expires_at', 1_900_000_000],
    ['expires_at', 'tomorrow'],
    ['expires_at', '2020-01-01T00:00:00Z'],
    ['expires_at', '2999-01-01T00:00:00'],
    ['expires_at', '2999-02-30T00:00:00Z'],
    ['expires_at', '2999-13-01T00:00:00Z'],
    ['expires_at', ''],
    ['password', ''],
    ['password', 'x'.repeat(257)],
    ['password', ['a']],
  ] as const) {
    const answer = await make({ file_name: 'there', [field]: value });
    assertRefused(answer, 400, 'invalid_field', { field });
  }
  const nulls = { custom_title: null, custom_description: null, expires_at: null, password: null };
  assert.equal((await make({ file_name: 'there', ...nulls, unknown: 1 })).status, 200);
});

test('an expired link is 410, for the bytes and for the page', async () => {
  const clock = new FakeClock();
  const api = await startApi({ change: () => ({ clock }) });
  const eve = await openAccount(api, 'eve');
  await eve.upload('a', 'x');
  const expires = { expires_at: new Date(clock.now() + 60_000).toISOString() };
  const link = await linkTo('a', expires, eve);
  clock.advance(59_999);
  assert.equal((await api.call(`GET ${link}`)).status, 200);
  clock.advance(1);
  assertRefused(await api.call(`GET ${link}`), 410, 'link_expired');
  assertRefused(await api.call(`GET ${link}&preview=true`), 410, 'link_expired');
  const head = await api.call(`HEAD ${link}`);
  assert.deepEqual([head.status, head.text], [410, '']);
});

test('a link with a password opens by header, or by form and cookie for ten minutes', async () => {
  const clock = new FakeClock();
  const api = await startApi({ change: () => ({ clock }) });
  const eve = await openAccount(api, 'eve');
  await eve.upload('secret', 'for friends');
  const password = 'öpen sésame & more+';
  const link = await linkTo('secret', { password }, eve);
  const other = await linkTo('secret', { password }, eve);
  assertRefused(await api.call(`GET ${link}`), 401, 'link_password_required');
  const header = { 'x-link-password': Buffer.from(password).toString('latin1') };
  assert.equal((await api.call(`GET ${link}`, undefined, header)).text, 'for friends');
  const wrong = { 'x-link-password': 'guess' };
  assertRefused(await api.call(`GET ${link}`, undefined, wrong), 401, 'link_password_wrong');

  const page = await api.call(`GET ${link}`, undefined, HTML);
  assert.equal(page.status, 401);
  assert.match(String(page.headers['content-type']), /^text\/html/);
  assert.match(page.text, /<form method="post"/);
  const form = (text: string) =>
    api.call(`POST ${link}`, text, { 'content-type': 'application/x-www-form-urlencoded' });
  const refused = await form('password=guess');
  assert.deepEqual([refused.status, refused.headers['set-cookie']], [401, undefined]);
  assert.match(refused.text, /That password is wrong/);
  const right = await form(`password=${encodeURIComponent(password).replaceAll('%20', '+')}`);
  assert.deepEqual([right.status, right.headers.location, right.text], [303, link, '']);
  const [cookie = ''] = right.headers['set-cookie'] ?? [];
  assert.match(cookie, /; Path=\/publicDownload; HttpOnly; SameSite=Lax; Max-Age=600$/);
  const pass = { cookie: `a=b; ${cookie.split(';')[0]}` };
  assert.equal((await api.call(`GET ${link}`, undefined, pass)).text, 'for friends');
  assertRefused(await api.call(`GET ${other}`, undefined, pass), 401, 'link_password_required');
  const moved = { cookie: String(cookie.split(';')[0]).replace(link.slice(-32), other.slice(-32)) };
  assertRefused(await api.call(`GET ${other}`, undefined, moved), 401, 'link_password_required');
  clock.advance(10 * 60_000);
  assertRefused(await api.call(`GET ${link}`, undefined, pass), 401, 'link_password_required');
});

test('the page of a link with a password needs the password too', async () => {
  await ann.upload('guarded', 'behind a password');
  const link = await linkTo('guarded', { password: 'open sesame', custom_title: 'Guarded' });
  const password = { 'x-link-password': 'open sesame' };
  assert.equal((await server.call(`GET ${link}`, undefined, password)).text, 'behind a password');
  const page = await server.call(`GET ${link}&preview=true`);
  assertRefused(page, 401, 'link_password_required');
  assert(!page.text.includes('Guarded'));
  assert.equal((await server.call(`GET ${link}&preview=true`, undefined, password)).status, 200);
});

test('tries at a password are limited, for the header and the form together', async () => {
  await ann.upload('tried', 'x');
  const link = await linkTo('tried', { password: 'right' });
  const byHeader = (text: string) =>
    server.call(`GET ${link}`, undefined, { 'x-link-password': text });
  for (let count = 0; count < 4; count += 1) {
    assertRefused(await byHeader(`guess ${count}`), 401, 'link_password_wrong');
  }
  assert.equal((await server.call(`POST ${link}`, 'password=guess')).status, 401);
  const limited = await byHeader('right');
  assertRefused(limited, 429, 'RATE_LIMIT', { limit: 5, remaining: 0 });
  assert(Number(limited.headers['retry-after']) > 0);
  assertRefused(await server.call(`POST ${link}`, 'password=right'), 429, 'RATE_LIMIT');
});

test('a preview page shows text as text, whatever the owner wrote', async () => {
  const evil = `</title><script>alert('1')</script>"onload="x&amp;`;
  await ann.upload(`dir/${evil.replaceAll('/', '_')}`, '<script>never</script>', 'text/html');
  const link = await linkTo(`dir/${evil.replaceAll('/', '_')}`, {
    custom_title: evil,
    custom_description: `${evil} described`,
  });
  const page = await server.call(`GET ${link}&preview=true`);
  assert.equal(page.status, 200);
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  assert.match(String(page.headers['content-security-policy']), /default-src 'none'/);
  assert(!page.text.includes('<script'));
  assert(!page.text.includes('onload="x'));
  assert(!page.text.includes('never'));
  const escaped =
    '&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;onload=&quot;x&amp;amp;';
  assert(page.text.includes(`<meta property="og:title" content="${escaped}">`));
  assert(page.text.includes(`<meta property="og:description" content="${escaped} described">`));
  assert(page.text.includes(`<title>${escaped}</title>`));
  const tags = new Set([...page.text.matchAll(/<([a-z0-9]+)/g)].map(([, tag]) => tag));
  const known = ['html', 'head', 'meta', 'title', 'style', 'body', 'main', 'h1', 'p', 'a'];
  assert.deepEqual(
    [...tags].filter((tag) => !known.includes(String(tag))),
    [],
  );
});

test('the links of an account are listed newest first, in pages', async () => {
  const holder = await openAccount(server, 'lister');
  await holder.upload('a/b', 'x');
  const hashes: string[] = [];
  for (let count = 0; count < 7; count += 1) {
    const more = count === 6 ? { password: 'x', expires_at: '2999-01-01T02:00:00+02:00' } : {};
    hashes.push((await linkTo('a/b', { custom_title: `t${count}`, ...more }, holder)).slice(-32));
  }
  const whole = (await holder.call('GET /publicLinks')).json;
  const rows = whole['links'] as readonly Json[];
  assert.equal(whole['next_cursor'], null);
  assert.deepEqual(new Set(rows.map((row) => row['link_hash'])), new Set(hashes));
  const newest = rows.find((row) => row['custom_title'] === 't6');
  assert.match(String(newest?.['created_at']), /^\d{4}-.*Z$/);
  assert.deepEqual(
    { ...newest, created_at: '' },
    {
      link_hash: hashes[6],
      file_name: 'a/b',
      custom_title: 't6',
      custom_description: null,
      expires_at: '2999-01-01T00:00:00.000Z',
      has_password: true,
      created_at: '',
    },
  );
  const times = rows.map((row) => String(row['created_at']));
  assert.deepEqual(times, times.toSorted().reverse());
  for (const limit of [1, 2, 3, 7]) {
    const paged: Json[] = [];
    let cursor: unknown;
    do {
      const after = cursor === undefined ? '' : `&cursor=${cursor}`;
      const page = (await holder.call(`GET /publicLinks?limit=${limit}${after}`)).json;
      paged.push(...(page['links'] as readonly Json[]));
      cursor = page['next_cursor'] ?? undefined;
    } while (cursor !== undefined);
    assert.deepEqual(paged, rows);
  }
  for (const query of ['limit=0', 'limit=1001', 'cursor=x', 'cursor=1.', 'limit=1&limit=1']) {
    assertRefused(await holder.call(`GET /publicLinks?${query}`), 400, 'invalid_field');
  }
});

test('the links of a disabled account are 403 until it is enabled', async () => {
  const holder = await openAccount(server, 'disabled');
  await holder.upload('a', 'x');
  const link = await linkTo('a', {}, holder);
  await server.admin.disableAccount('disabled');
  assertRefused(await server.call(`GET ${link}`), 403, 'account_disabled');
  assertRefused(await holder.call('GET /files'), 403, 'account_disabled');
  await server.admin.enableAccount('disabled');
  assert.equal((await server.call(`GET ${link}`)).text, 'x');
});

test('who may not read a file lets nobody else read it: a link takes both scopes', async () => {
  const holder = await openAccount(server, 'scopes');
  await holder.upload('a', 'x');
  for (const [scopes, required] of [
    [['files:write'], 'files:read'],
    [['files:read', 'files:delete'], 'files:write'],
  ] as const) {
    const headers = await tokenHeaders(server, holder, scopes);
    const answer = await server.call('POST /createPublicLink', { file_name: 'a' }, headers);
    assertRefused(answer, 403, 'missing_scope', { required });
  }
  assert.deepEqual((await holder.call('GET /publicLinks')).json['links'], []);
  const headers = await tokenHeaders(server, holder, ['files:read', 'files:write']);
  const made = await server.call('POST /createPublicLink', { file_name: 'a' }, headers);
  assert.equal(made.status, 200, made.text);
});

test('an answer by a link is for one reader, and no copy outlives the link or its password', async () => {
  const cachingOf = async (path: string, more: Readonly<Record<string, string>> = {}) => {
    const answer = await server.call(`GET ${path}`, undefined, more);
    assert.equal(answer.status, 200, answer.text);
    const { etag = '' } = answer.headers;
    const fresh = await server.call(`GET ${path}`, undefined, { ...more, 'if-none-match': etag });
    const head = await server.call(`HEAD ${path}`, undefined, more);
    for (const same of [fresh, head]) {
      assert.equal(same.headers['cache-control'], answer.headers['cache-control']);
    }
    return answer.headers['cache-control'];
  };
  await ann.upload('cached', 'x');
  assert.equal(await cachingOf(await linkTo('cached')), 'private, no-cache');
  const expires = { expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  assert.equal(
    await cachingOf(await linkTo('cached', expires)),
    'private, no-cache, must-revalidate',
  );
  const secret = await linkTo('cached', { password: 'open sesame' });
  const password = { 'x-link-password': 'open sesame' };
  assert.equal(await cachingOf(secret, password), 'private, no-store');
});

test('a link answers base64 text to clients that expect it, also under its older address', async () => {
  await ann.upload('text', 'hello');
  const link = await linkTo('text', { password: 'open sesame' });
  const password = { 'x-link-password': 'open sesame' };
  const older = link.replace('/publicDownload?hash=', '/public/');
  for (const path of [`${link}&encoding=base64`, `${older}?encoding=base64`]) {
    const text = await server.call(`GET ${path}`, undefined, { ...password, range: 'bytes=0-1' });
    assert.deepEqual([text.status, text.text], [200, 'aGVsbG8=']);
    assert.match(String(text.headers['content-type']), /^text\/plain/);
    assertRefused(await server.call(`GET ${path}`), 401, 'link_password_required');
  }
  for (const method of ['GET', 'HEAD']) {
    const raw = await server.call(`${method} ${older}`, undefined, password);
    assert.deepEqual([raw.status, raw.headers['content-length']], [200, '5']);
  }
  const wrong = await server.call(`GET ${link}&encoding=gzip`, undefined, password);
  assertRefused(wrong, 400, 'invalid_field', { field: 'encoding' });
});
