/**
 * The forms that a setting's text may have. Each `parse` throws `ValueRefusal`; none quotes the
 * text it was given, which may be a secret put into the wrong variable.
 */
import { isIP } from 'node:net';
import { canonicalBlock } from '../kit/ip.ts';
import { ValueRefusal } from './refusal.ts';

export type Form<T> = {
  /** For people, after the words "takes" and in the generated page. */
  readonly words: string;
  readonly parse: (text: string) => T;
};

/** Sizes fit a signed 64-bit integer, which is what the metadata engines keep. */
const BYTES_MAX = 2n ** 63n - 1n;

const BYTE_UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  kb: 1000n,
  mb: 1000n ** 2n,
  gb: 1000n ** 3n,
  tb: 1000n ** 4n,
  kib: 1024n,
  mib: 1024n ** 2n,
  gib: 1024n ** 3n,
  tib: 1024n ** 4n,
};

export const BYTES: Form<bigint> = {
  words: 'bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB',
  parse: (text) => {
    const [, digits, unit] = /^(\d{1,19})\s*([a-z]{0,3})$/i.exec(text) ?? [];
    const factor = unit === undefined ? undefined : BYTE_UNITS[unit.toLowerCase()];
    if (digits === undefined || factor === undefined) {
      throw new ValueRefusal(
        'is not a size',
        'Write bytes (1000000) or a number with a unit (512 MiB, 20 GB).',
      );
    }
    const bytes = BigInt(digits) * factor;
    if (bytes > BYTES_MAX) throw new ValueRefusal('is too large', 'Write less than 8 EiB.');
    return bytes;
  },
};

export const PORT: Form<number> = {
  words: 'a port, 0 to 65535; 0 takes any free one',
  parse: (text) => {
    if (/^(?:tcp|udp):\/\//.test(text)) {
      throw new ValueRefusal(
        'is an address that Kubernetes made for a Service of a like name',
        'Set enableServiceLinks: false in the pod, or name the Service otherwise.',
      );
    }
    return parseInteger(text, { min: 0, max: 65_535 });
  },
};

/** Limits of requests; 0 says that there is none. */
export const RATE: Form<number | undefined> = {
  words: 'a whole number; 0 turns the limit off',
  parse: (text) => {
    const rate = parseInteger(text, { min: 0, max: 1_000_000_000 });
    return rate === 0 ? undefined : rate;
  },
};

/** How many of a thing somebody may have. */
export const COUNT: Form<number> = {
  words: 'a whole number',
  parse: (text) => parseInteger(text, { min: 0, max: 1_000_000 }),
};

/** Lives of what is swept; 0 says that it is never. */
export const DAYS: Form<number | undefined> = {
  words: 'whole days; 0 for ever',
  parse: (text) => {
    const days = parseInteger(text, { min: 0, max: 36_500 });
    return days === 0 ? undefined : days;
  },
};

/** A day is beyond any reasonable wait and fits Node's timers. */
export const MILLISECONDS: Form<number> = {
  words: 'milliseconds',
  parse: (text) => parseInteger(text, { min: 0, max: 86_400_000 }),
};

export const MICRO_USDC: Form<bigint> = {
  words: 'micro-USDC (1 USDC is 1000000)',
  parse: (text) => BigInt(parseInteger(text, { min: 0, max: 1_000_000_000_000 })),
};

export const PATH: Form<string> = {
  words: 'a path',
  parse: (text) => {
    if (text.includes('\0')) throw new ValueRefusal('holds NUL', 'Write a path.');
    if (text === '~' || text.startsWith('~/')) {
      throw new ValueRefusal(
        'begins with ~, which only shells understand',
        'Write the whole path of the home directory.',
      );
    }
    return text;
  },
};

export const HOST: Form<string> = {
  words: 'an address or host name to listen on; 0.0.0.0 or :: for all',
  parse: (text) => {
    if (isIP(text) !== 0 || isHostName(text)) return text.toLowerCase();
    throw new ValueRefusal(
      'is neither an address nor a host name',
      'Write 127.0.0.1 for this machine, 0.0.0.0 for all; the port has its own setting.',
    );
  },
};

/** A whole origin: what stands before the path of every link that is handed out. */
export const ORIGIN: Form<string> = {
  words: 'http:// or https://, a host, and a port if it is not the usual one',
  parse: (text) => {
    const url = URL.parse(text);
    const isOrigin =
      url !== null &&
      (url.protocol === 'http:' || url.protocol === 'https:') &&
      url.username === '' &&
      url.password === '' &&
      url.pathname === '/' &&
      url.search === '' &&
      url.hash === '' &&
      /^https?:\/\/[^/?#\s]+\/?$/i.test(text);
    if (!isOrigin) {
      throw new ValueRefusal(
        'is not a public address',
        'Write it like https://files.example.org, without a path, a query or a user.',
      );
    }
    return url.origin;
  },
};

/** The URL of a remote engine: `schemes` without the colon. */
export function urlOf(schemes: readonly string[]): Form<string> {
  const pattern = `${schemes[0] ?? ''}://user:password@host/name`;
  return {
    words: `a URL like ${pattern}`,
    parse: (text) => {
      const url = URL.parse(text);
      if (url === null || !schemes.includes(url.protocol.slice(0, -1)) || url.hostname === '') {
        throw new ValueRefusal('is not a URL of a kind that is known here', `Write ${pattern}.`);
      }
      if (hasStrayMark(url, text)) {
        throw new ValueRefusal(
          'has an unescaped mark in its user or password',
          'Write / as %2F, ? as %3F, # as %23 and @ as %40 there.',
        );
      }
      return text;
    },
  };
}

/**
 * Whether a mark in the user or password was left unescaped, so that the URL's reader takes a part
 * of it for the host, the path or the query, where it would be shown.
 */
export function hasStrayMark(url: URL, text: string): boolean {
  const marks = text.split('@').length - 1;
  const hasUser = url.username !== '' || url.password !== '';
  return url.hash !== '' || marks > (hasUser ? 1 : 0);
}

export function oneOf<const Word extends string>(allowed: readonly Word[]): Form<Word> {
  return {
    words: allowed.join(' | '),
    parse: (text) => {
      const word = allowed.find((candidate) => candidate === text.toLowerCase());
      if (word !== undefined) return word;
      throw new ValueRefusal('is not a word that is known here', `Write ${listOr(allowed)}.`);
    },
  };
}

export const REGION: Form<string> = {
  words: 'a region name of letters, digits, - and _',
  parse: (text) => {
    if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
    throw new ValueRefusal('is not a region name', 'Write letters, digits, - or _, such as auto.');
  },
};

/** Proxies whose forwarded headers are believed. */
export const NETWORKS: Form<readonly string[]> = {
  words: 'addresses and CIDR blocks, separated by commas',
  parse: (text) => splitList(text).map(parseNetwork),
};

export type SignupEntry =
  | { readonly kind: 'wallet'; readonly wallet: string }
  | { readonly kind: 'email'; readonly email: string };

export const SIGNUP_ENTRIES: Form<readonly SignupEntry[]> = {
  words: 'wallets (base58) and e-mail addresses, separated by commas',
  parse: (text) => splitList(text).map(parseSignupEntry),
};

/** One factor per tier, from normal to enterprise (files-api.md, `tier`). */
export const TIER_MULTIPLIERS: Form<readonly number[]> = {
  words: 'five numbers from 0 to 1000, for normal, priority, premium, ultra and enterprise',
  parse: (text) => {
    const thousandths = splitList(text).map(parseThousandths);
    if (thousandths.length !== 5) {
      throw new ValueRefusal(
        'does not have five numbers',
        'Write one number per tier, such as 1,2.5,5,10,25.',
      );
    }
    return thousandths;
  },
};

/** Prices are exact: a multiplier is kept in thousandths, so it has three decimals at most. */
function parseThousandths(text: string): number {
  const value = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1000) : Number.NaN;
  if (value <= 1_000_000) return value;
  throw new ValueRefusal(
    'has something that is no number from 0 to 1000',
    'Write it with at most three decimals, such as 2.5.',
  );
}

function parseInteger(text: string, range: { readonly min: number; readonly max: number }): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) return value;
  throw new ValueRefusal(
    `is not a whole number from ${range.min} to ${range.max}`,
    'Write the digits alone, without a unit or a separator.',
  );
}

function splitList(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '');
}

function parseNetwork(text: string): string {
  const block = canonicalBlock(text);
  if (block === undefined) {
    throw new ValueRefusal(
      'holds something that is neither an address nor a CIDR block',
      'Write the proxies like 10.0.0.7 or 10.0.0.0/8 or fd00::/8.',
    );
  }
  if (block.endsWith('/0')) {
    throw new ValueRefusal(
      'would believe every client about its own address',
      'Name the network of your proxies instead of a block of length 0.',
    );
  }
  return block;
}

function parseSignupEntry(text: string): SignupEntry {
  if (/^[^@\s]+@[^@\s]+$/.test(text)) return { kind: 'email', email: text.toLowerCase() };
  if (/^[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(text)) return { kind: 'wallet', wallet: text };
  throw new ValueRefusal(
    'holds something that is neither a wallet nor an e-mail address',
    'Write base58 wallets and e-mail addresses, separated by commas.',
  );
}

function isHostName(text: string): boolean {
  return (
    text.length <= 253 &&
    /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i.test(text) &&
    !/^[\d.]+$/.test(text)
  );
}

function listOr(words: readonly string[]): string {
  return words.length < 2
    ? words.join('')
    : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}
