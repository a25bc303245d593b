/** The few HTML pages that the server makes itself: escaped text, one style, no script. */
import { createHash } from 'node:crypto';
import type { FastifyReply } from 'fastify';

const STYLE = `:root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:36rem;margin:12vh auto;padding:0 1.25rem}h1{font-size:1.5rem}input,button{font:inherit;padding:.5rem .75rem;margin-top:.5rem}a{color:inherit}code{font-size:.9em}`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export type HtmlPage = {
  readonly title: string;
  /** By property name, such as `og:title`. */
  readonly openGraph?: Readonly<Record<string, string>>;
  /** Markup of our own; text in it is escaped by `escapeHtml`. */
  readonly body: string;
};

export function sendPage(reply: FastifyReply, status: number, page: HtmlPage): FastifyReply {
  const graph = Object.entries(page.openGraph ?? {})
    .map(([name, text]) => `<meta property="${name}" content="${escapeHtml(text)}">`)
    .join('\n');
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(page.title)}</title>
${graph}
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(page.title)}</h1>
${page.body}
</main>
</body>
</html>
`;
  return reply
    .code(status)
    .header('content-type', 'text/html; charset=utf-8')
    .header('content-security-policy', POLICY)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
    .header('cache-control', 'no-store')
    .send(html);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => ESCAPES[mark] ?? mark);
}
