/** Proves that the pages we make hold text as text, and run nothing. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import fastify from 'fastify';
import { escapeHtml, sendPage } from './html-page.ts';

test('escaped text holds no mark that could end or begin anything', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const escaped = escapeHtml(text);
      assert(!/[<>"']/.test(escaped));
      assert(!/&(?!(?:amp|lt|gt|quot|#39);)/.test(escaped));
      const back = escaped
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&quot;', '"')
        .replaceAll('&#39;', "'")
        .replaceAll('&amp;', '&');
      assert.equal(back, text);
    }),
  );
});

test('a page names its style by hash, and allows nothing else', async () => {
  const server = fastify();
  server.get('/', (_request, reply) =>
    sendPage(reply, 418, { title: '<T>', openGraph: { 'og:title': '"x"' }, body: '<p>ours</p>' }),
  );
  const { statusCode, headers, body } = await server.inject('/');
  assert.equal(statusCode, 418);
  assert.equal(headers['cache-control'], 'no-store');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.equal(headers['referrer-policy'], 'no-referrer');
  const style = /<style>(?<style>[\s\S]*)<\/style>/.exec(body)?.groups?.['style'] ?? '';
  const hash = createHash('sha256').update(style).digest('base64');
  assert.equal(
    headers['content-security-policy'],
    `default-src 'none'; style-src 'sha256-${hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  );
  assert(body.includes('<title>&lt;T&gt;</title>'));
  assert(body.includes('<meta property="og:title" content="&quot;x&quot;">'));
  assert(body.includes('<p>ours</p>'));
});
