/** Who may keep an answer with bytes, and for how long (files-api.md, "Public links"). */
import type { OutgoingHttpHeaders } from 'node:http';
import type { TimeMs } from '../../core/ids.ts';

export type Caching =
  /** An answer to a credential: for its holder alone. */
  | { readonly kind: 'owner' }
  /** A public link, which its owner may end, and which may end by itself. */
  | {
      readonly kind: 'link';
      readonly hasPassword: boolean;
      readonly expiresAt: TimeMs | undefined;
    }
  /** A deterministic URL: its bytes never change, but it may be switched off. */
  | { readonly kind: 'url' };

/** Long enough for a page that is read again, short enough for one that was taken away. */
const URL_MAX_AGE_SECONDS = 300;

/**
 * `cache-control`, and `expires` where it may stay beside it, by what was stored with the object.
 */
export function cachingHeaders(
  caching: Caching,
  stored: Readonly<Record<string, string>>,
  now: TimeMs,
): OutgoingHttpHeaders {
  const { expires, 'cache-control': directives } = stored;
  switch (caching.kind) {
    case 'url':
      return { 'cache-control': `public, max-age=${URL_MAX_AGE_SECONDS}` };
    case 'owner':
      return forOneReader(directives, { expires, lifeSecondsMax: undefined });
    case 'link': {
      if (caching.hasPassword) return { 'cache-control': 'private, no-store' };
      const { expiresAt } = caching;
      const lifeSecondsMax =
        expiresAt === undefined ? undefined : Math.max(0, Math.floor((expiresAt - now) / 1000));
      return forOneReader(directives, { expires, lifeSecondsMax });
    }
  }
}

function forOneReader(
  directives: string | undefined,
  limits: { readonly expires: string | undefined; readonly lifeSecondsMax: number | undefined },
): OutgoingHttpHeaders {
  const { expires, lifeSecondsMax } = limits;
  const isDated = expires !== undefined && lifeSecondsMax === undefined;
  const date = isDated ? { expires } : {};
  const kept = parseDirectives(directives ?? '').flatMap(({ name, value }) => {
    if (name !== 'max-age') return KEPT_DIRECTIVES.has(name) ? [name] : [];
    const seconds = Number(value);
    return [`max-age=${Math.min(seconds, lifeSecondsMax ?? seconds)}`];
  });
  const saysHowLong = kept.some((one) => /^(?:max-age=|no-cache|no-store)/.test(one));
  if (!saysHowLong && !isDated) kept.unshift('no-cache');
  // Once the link has ended no copy may be served, not even by a cache that lost touch with us.
  const hasEnd = lifeSecondsMax !== undefined && !kept.includes('must-revalidate');
  const words = ['private', ...kept, ...(hasEnd ? ['must-revalidate'] : [])];
  return { 'cache-control': words.join(', '), ...date };
}

/** What says the same to one reader's cache; what speaks to shared ones, or stretches, goes. */
const KEPT_DIRECTIVES: ReadonlySet<string> = new Set([
  'no-cache',
  'no-store',
  'must-revalidate',
  'immutable',
  'no-transform',
]);

function parseDirectives(text: string) {
  return text.split(',').flatMap((part) => {
    const { name = '', value = '' } =
      /^\s*(?<name>[\w-]+)\s*(?:=\s*"?(?<value>[^"]*?)"?\s*)?$/.exec(part)?.groups ?? {};
    const directive = { name: name.toLowerCase(), value };
    const isAge = directive.name === 'max-age';
    return isAge && !/^\d{1,10}$/.test(value) ? [] : [directive];
  });
}
