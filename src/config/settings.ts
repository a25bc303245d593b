/**
 * The one list of settings. The environment (`PINFOLD_` and the name), `pinfold.toml` (the name in
 * lower case), `pinfold config` and docs/configuration.md all follow it.
 */
import {
  BYTES,
  COUNT,
  DAYS,
  type Form,
  HOST,
  MICRO_USDC,
  MILLISECONDS,
  NETWORKS,
  ORIGIN,
  oneOf,
  PATH,
  PORT,
  RATE,
  REGION,
  SIGNUP_ENTRIES,
  TIER_MULTIPLIERS,
  urlOf,
} from './forms.ts';

export const SETTING_GROUPS = [
  'Where it keeps its data',
  'Listeners',
  'Accounts and quotas',
  'Rate limits',
  'Prices',
  'Running',
] as const;

export type SettingGroup = (typeof SETTING_GROUPS)[number];

/** How a value is shown: as it is, as a URL without its password, or not at all. */
export type Secrecy = 'plain' | 'url' | 'secret';

export type Setting<T> = {
  /** Without `PINFOLD_`. */
  readonly name: string;
  readonly group: SettingGroup;
  readonly form: Form<T>;
  readonly secrecy: Secrecy;
  /** Read when nobody set it: a text of the setting's form, or a value with words that say it. */
  readonly fallback:
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'absent'; readonly value: T; readonly words: string };
  /** Sentences for the configuration page. */
  readonly doc: string;
};

type Description<T> = {
  readonly group: SettingGroup;
  readonly form: Form<T>;
  readonly secrecy?: Secrecy;
  readonly doc: string;
};

export const SETTINGS = {
  DATA_DIR: setting('DATA_DIR', './data', {
    group: 'Where it keeps its data',
    form: PATH,
    doc: 'The data directory. It is made at the first start, for its owner only. One process owns it.',
  }),
  MASTER_KEY_FILE: optional('MASTER_KEY_FILE', 'keys/master.key in the data directory', {
    group: 'Where it keeps its data',
    form: PATH,
    doc: 'The file of the master key, under which secrets are encrypted. It is made with fresh keys at the first start, and must be readable by its owner only. Keep a copy apart from the data: without it no secret can be read again.',
  }),
  DATABASE_URL: optional('DATABASE_URL', 'SQLite in the data directory', {
    group: 'Where it keeps its data',
    form: urlOf(['postgres', 'postgresql']),
    secrecy: 'url',
    doc: 'A PostgreSQL database that holds the metadata instead of SQLite.',
  }),
  BLOB_URL: optional('BLOB_URL', 'files in the data directory', {
    group: 'Where it keeps its data',
    form: urlOf(['s3', 'http', 'https']),
    secrecy: 'url',
    doc: 'An S3-compatible store for the bytes. This build does not have it yet and refuses the setting.',
  }),
  REDIS_URL: optional('REDIS_URL', 'memory of the process', {
    group: 'Where it keeps its data',
    form: urlOf(['redis', 'rediss']),
    secrecy: 'url',
    doc: 'A Redis that counts requests for several processes. This build does not have it yet and refuses the setting.',
  }),
  MIN_FREE_BYTES: setting('MIN_FREE_BYTES', '1 GiB', {
    group: 'Where it keeps its data',
    form: BYTES,
    doc: 'Writes are refused with 507 while less than this is free on the disk; deletes still work.',
  }),
  CAPACITY_BYTES: optional('CAPACITY_BYTES', 'no limit', {
    group: 'Where it keeps its data',
    form: BYTES,
    doc: 'Writes are refused with 507 when the stored total of all accounts would exceed this.',
  }),

  HOST: setting('HOST', '127.0.0.1', {
    group: 'Listeners',
    form: HOST,
    doc: 'Where the API and the S3 gateway listen. Behind a proxy on the same machine keep the default.',
  }),
  API_PORT: setting('API_PORT', '8080', {
    group: 'Listeners',
    form: PORT,
    doc: 'The port of the API.',
  }),
  S3_PORT: setting('S3_PORT', '9000', {
    group: 'Listeners',
    form: PORT,
    doc: 'The port of the S3 gateway, at the root of its own host.',
  }),
  METRICS_HOST: setting('METRICS_HOST', '127.0.0.1', {
    group: 'Listeners',
    form: HOST,
    doc: 'Where the metrics listen. They name no account, but are not meant for the public.',
  }),
  METRICS_PORT: setting('METRICS_PORT', '9100', {
    group: 'Listeners',
    form: PORT,
    doc: 'The port of the Prometheus metrics.',
  }),
  METRICS_TLS: setting('METRICS_TLS', 'no', {
    group: 'Listeners',
    form: oneOf(['yes', 'no']),
    doc: 'Whether the metrics are told over TLS, with the certificate of the API.',
  }),
  PUBLIC_URL: optional('PUBLIC_URL', 'http://localhost and the API port', {
    group: 'Listeners',
    form: ORIGIN,
    doc: 'How clients reach the API. Links, sign-in messages and redirects are made from it, never from what a client sends as its host; but while it is not set and the server listens on its own machine alone, answers with links name the host that was asked.',
  }),
  S3_PUBLIC_URL: optional('S3_PUBLIC_URL', 'http://localhost and the S3 port', {
    group: 'Listeners',
    form: ORIGIN,
    doc: 'How clients reach the S3 gateway. Presigned URLs, exported keys and `Location` name it. While it is not set and the server listens on its own machine alone, they name the host that was asked.',
  }),
  TLS_CERT_FILE: optional('TLS_CERT_FILE', 'no TLS', {
    group: 'Listeners',
    form: PATH,
    doc: 'The certificate chain of the API and the S3 gateway in PEM, the certificate itself first. Set together with the key. Changed files are read again within seconds, without a restart; a pair that does not fit is logged, and the old one kept.',
  }),
  TLS_KEY_FILE: optional('TLS_KEY_FILE', 'no TLS', {
    group: 'Listeners',
    form: PATH,
    doc: 'The private key of the certificate in PEM.',
  }),
  TRUSTED_PROXIES: setting('TRUSTED_PROXIES', '', {
    group: 'Listeners',
    form: NETWORKS,
    doc: 'Proxies whose `X-Forwarded-For`, `-Host` and `-Proto` are believed. From anyone else these headers are ignored.',
  }),
  REGION: setting('REGION', 'auto', {
    group: 'Listeners',
    form: REGION,
    doc: 'The region that S3 clients are told.',
  }),
  S3_STRICT_REGION: setting('S3_STRICT_REGION', 'no', {
    group: 'Listeners',
    form: oneOf(['yes', 'no']),
    doc: 'Whether S3 requests signed for another region than `REGION` are refused. Usually any will do.',
  }),

  SIGNUP: setting('SIGNUP', 'open', {
    group: 'Accounts and quotas',
    form: oneOf(['open', 'closed', 'allowlist']),
    doc: 'Who may make an account: everyone, nobody, or those of `SIGNUP_ALLOWLIST`.',
  }),
  SIGNUP_ALLOWLIST: setting('SIGNUP_ALLOWLIST', '', {
    group: 'Accounts and quotas',
    form: SIGNUP_ENTRIES,
    doc: 'Who may make an account when `SIGNUP` is `allowlist`.',
  }),
  FREE_STORAGE_BYTES: setting('FREE_STORAGE_BYTES', '1 GB', {
    group: 'Accounts and quotas',
    form: BYTES,
    doc: 'What an account may store without credits, unless an operator set a limit of its own for it. Each object, open upload and part counts 1,024 bytes, or its name and metadata if they are longer, beside its bytes.',
  }),
  FREE_EGRESS_BYTES: setting('FREE_EGRESS_BYTES', '100 GB', {
    group: 'Accounts and quotas',
    form: BYTES,
    doc: 'What an account may send in a calendar month (UTC) without credits. It is counted; nothing is refused until there are credits to buy more with.',
  }),
  FREE_BUCKETS: setting('FREE_BUCKETS', '1', {
    group: 'Accounts and quotas',
    form: COUNT,
    doc: 'How many buckets an account may have, its default bucket among them, unless an operator set a limit of its own for it.',
  }),

  RATE_LIMIT_PER_SECOND: setting('RATE_LIMIT_PER_SECOND', '1000', {
    group: 'Rate limits',
    form: RATE,
    doc: 'Requests a second with one credential.',
  }),
  RATE_LIMIT_PER_MINUTE: setting('RATE_LIMIT_PER_MINUTE', '30000', {
    group: 'Rate limits',
    form: RATE,
    doc: 'Requests a minute with one credential.',
  }),
  RATE_LIMIT_ANONYMOUS_PER_SECOND: setting('RATE_LIMIT_ANONYMOUS_PER_SECOND', '50', {
    group: 'Rate limits',
    form: RATE,
    doc: 'Requests a second without a credential from one address.',
  }),
  RATE_LIMIT_S3_PER_SECOND: setting('RATE_LIMIT_S3_PER_SECOND', '0', {
    group: 'Rate limits',
    form: RATE,
    doc: 'S3 requests a second with one access key, or from one address without; more are told to slow down.',
  }),
  RATE_LIMIT_SIGN_IN_PER_MINUTE: setting('RATE_LIMIT_SIGN_IN_PER_MINUTE', '60', {
    group: 'Rate limits',
    form: RATE,
    doc: 'Challenges, sign-ins and sign-ups a minute from one address.',
  }),
  SIGNUPS_PER_HOUR: setting('SIGNUPS_PER_HOUR', '10', {
    group: 'Rate limits',
    form: RATE,
    doc: 'Accounts that one address may make in an hour, by whatever way. The machine itself is not held to it.',
  }),
  RATE_LIMIT_PASSWORD_PER_MINUTE: setting('RATE_LIMIT_PASSWORD_PER_MINUTE', '10', {
    group: 'Rate limits',
    form: RATE,
    doc: 'Password tries a minute for one account and from one address.',
  }),

  PRICE_STORAGE_USDC_RAW_PER_GB_MONTH: setting('PRICE_STORAGE_USDC_RAW_PER_GB_MONTH', '25000', {
    group: 'Prices',
    form: MICRO_USDC,
    doc: 'The price of one GB (10^9 bytes) stored for a month (720 hours) beyond the free quota.',
  }),
  PRICE_EGRESS_USDC_RAW_PER_GB: setting('PRICE_EGRESS_USDC_RAW_PER_GB', '10000', {
    group: 'Prices',
    form: MICRO_USDC,
    doc: 'The price of one GB sent beyond the free pool.',
  }),
  TIER_MULTIPLIERS: setting('TIER_MULTIPLIERS', '1,2.5,5,10,25', {
    group: 'Prices',
    form: TIER_MULTIPLIERS,
    doc: 'By how much the tiers multiply the price of storage; at most three decimals.',
  }),

  UPLOAD_LIFE_DAYS: setting('UPLOAD_LIFE_DAYS', '7', {
    group: 'Running',
    form: DAYS,
    doc: 'How long a multipart upload may stand after its last part before it is aborted and its parts are removed. Until then they count as stored.',
  }),
  BODY_MEMORY_BYTES: setting('BODY_MEMORY_BYTES', '64 MiB', {
    group: 'Running',
    form: BYTES,
    doc: 'Memory that small bodies under way may take together: uploads of up to 256 KiB, JSON, XML and the fields of forms. One account takes half of it at most. What does not fit is told to come again (503). At least 16 MiB.',
  }),
  LOG_LEVEL: setting('LOG_LEVEL', 'info', {
    group: 'Running',
    form: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
    doc: 'The least weight of what is logged.',
  }),
  MAX_CONNECTIONS: setting('MAX_CONNECTIONS', '1000', {
    group: 'Listeners',
    form: RATE,
    doc: 'Connections to the API at once, and as many to the S3 gateway; each may hold up to half a MiB while it is slow. When all are taken, a newcomer takes the place of the one that is longest without a proved credential; one place in 16 is always left to those who have not proved any yet, if need be by the account that holds most.',
  }),
  CONNECTIONS_PER_ADDRESS: setting('CONNECTIONS_PER_ADDRESS', '100', {
    group: 'Listeners',
    form: RATE,
    doc: 'Connections that one address may hold without a proved credential, on the API and the S3 gateway together; more are closed. The machine itself and `TRUSTED_PROXIES` are not held to it.',
  }),
  SHUTDOWN_GRACE_MS: setting('SHUTDOWN_GRACE_MS', '10000', {
    group: 'Running',
    form: MILLISECONDS,
    doc: 'How long requests under way may take to finish once the process was told to stop.',
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;

function setting<T>(name: string, text: string, description: Description<T>): Setting<T> {
  return { secrecy: 'plain', ...description, name, fallback: { kind: 'text', text } };
}

function optional<T>(
  name: string,
  words: string,
  description: Description<T>,
): Setting<T | undefined> {
  const fallback = { kind: 'absent', value: undefined, words } as const;
  return { secrecy: 'plain', ...description, name, fallback };
}
