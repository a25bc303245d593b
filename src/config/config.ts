/** The configuration as the rest of the program sees it: parsed, without contradictions, frozen. */
import { join, resolve } from 'node:path';
import type { Environment } from './env.ts';
import { ConfigError, type Refusal, ValueRefusal } from './refusal.ts';
import { SETTINGS, type Setting } from './settings.ts';
import { gatherSettings, labelOf, type SetTexts } from './sources.ts';

export type MetadataConfig =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly url: string };

/** `minFreeBytes`: writes are refused below it. */
export type BlobsConfig = {
  readonly kind: 'disk';
  readonly directory: string;
  readonly minFreeBytes: bigint;
};

export type TlsConfig =
  | { readonly kind: 'off' }
  | { readonly kind: 'on'; readonly certFile: string; readonly keyFile: string };

export type SignupConfig =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }
  | {
      readonly kind: 'allowlist';
      readonly wallets: readonly string[];
      /** In lower case. */
      readonly emails: readonly string[];
    };

/** `undefined`: no limit. */
export type RateLimitsConfig = {
  readonly perSecond: number | undefined;
  readonly perMinute: number | undefined;
  readonly anonymousPerSecond: number | undefined;
  readonly s3PerSecond: number | undefined;
  readonly signInPerMinute: number | undefined;
  readonly signUpsPerHour: number | undefined;
  readonly passwordPerMinute: number | undefined;
};

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** Every path is absolute. */
export type Config = {
  readonly dataDirectory: string;
  readonly masterKeyFile: string;
  readonly metadata: MetadataConfig;
  readonly blobs: BlobsConfig;
  /** Where requests are counted for the rate limits. */
  readonly limits: { readonly kind: 'memory' };
  readonly api: { readonly host: string; readonly port: number; readonly tls: TlsConfig };
  /** At the API's host, with the API's certificate. */
  readonly s3: {
    readonly port: number;
    /** An origin without a slash at its end; `undefined`: see `s3PublicUrlOf`. */
    readonly publicUrl: string | undefined;
    /** Whether requests signed for another region are refused. */
    readonly isRegionStrict: boolean;
  };
  readonly metrics: {
    readonly host: string;
    readonly port: number;
    /** Whether it speaks TLS with the API's certificate. */
    readonly isTls: boolean;
  };
  /** An origin without a slash at its end; `undefined`: see `publicUrlOf`. */
  readonly publicUrl: string | undefined;
  /** Addresses and CIDR blocks. */
  readonly trustedProxies: readonly string[];
  readonly region: string;
  readonly signup: SignupConfig;
  readonly quota: {
    readonly freeStorageBytes: bigint;
    readonly freeEgressBytes: bigint;
    /** Of one account, its default bucket among them. */
    readonly freeBuckets: number;
    /** Of all accounts together; `undefined`: no limit. */
    readonly capacityBytes: bigint | undefined;
  };
  readonly rateLimits: RateLimitsConfig;
  readonly prices: {
    readonly storageUsdcRawPerGbMonth: bigint;
    readonly egressUsdcRawPerGb: bigint;
    /** From `normal` to `enterprise`, in thousandths. */
    readonly tierThousandths: readonly number[];
  };
  /** How long a multipart upload may stand without a new part; `undefined`: for ever. */
  readonly uploadLifeMs: number | undefined;
  readonly log: { readonly level: LogLevel };
  /** `undefined`: no limit. */
  readonly maxConnections: number | undefined;
  /** Without a proved credential; `undefined`: no limit. */
  readonly connectionsPerAddress: number | undefined;
  /** What small bodies under way may take of memory. */
  readonly bodyMemoryBytes: number;
  readonly shutdownGraceMs: number;
};

/** Twice the largest document of S3, because one account takes half. */
const BODY_MEMORY_BYTES_MIN = 16n * 1024n * 1024n;
const DAY_MS = 24 * 3_600_000;

/** Gathers and parses the settings; throws `ConfigError` with every refusal. */
export function loadConfig(options: {
  readonly environment: Environment;
  readonly workingDirectory: string;
}): Config {
  return configOf(gatherSettings(options), options);
}

/** Parses gathered settings; throws `ConfigError`. */
export function configOf(texts: SetTexts, options: { readonly workingDirectory: string }): Config {
  refuseAll(malformedSettings(texts));
  refuseAll(contradictions(texts));
  return freezeDeep(assemble(texts, options.workingDirectory));
}

/** How clients reach the API once it listens on `port`. */
export function publicUrlOf(config: Config, port: number): string {
  return config.publicUrl ?? originOf(config, port);
}

/** How clients reach the S3 gateway once it listens on `port`. */
export function s3PublicUrlOf(config: Config, port: number): string {
  return config.s3.publicUrl ?? originOf(config, port);
}

function originOf(config: Config, port: number): string {
  const { host, tls } = config.api;
  const isAnyOrLocal = ['0.0.0.0', '::', '127.0.0.1', '::1', 'localhost'].includes(host);
  const name = isAnyOrLocal ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return new URL(`${tls.kind === 'on' ? 'https' : 'http'}://${name}:${port}`).origin;
}

/** The parsed value of a setting, or its default. */
function read<T>(texts: SetTexts, setting: Setting<T>): T {
  const text = texts.get(setting.name)?.text;
  if (text !== undefined) return setting.form.parse(text);
  const { fallback } = setting;
  return fallback.kind === 'text' ? setting.form.parse(fallback.text) : fallback.value;
}

function malformedSettings(texts: SetTexts): readonly Refusal[] {
  const refusals: Refusal[] = [];
  for (const setting of Object.values(SETTINGS)) {
    try {
      read<unknown>(texts, setting);
    } catch (error) {
      if (!(error instanceof ValueRefusal)) throw error;
      const { problem, remedy } = error;
      refusals.push({ setting: labelOf(setting, texts), problem, remedy });
    }
  }
  return refusals;
}

/** Settings that are well formed one by one, but cannot hold together. */
function contradictions(texts: SetTexts): readonly Refusal[] {
  const refusals: Refusal[] = [];
  const refuse = (setting: Setting<unknown>, problem: string, remedy: string) =>
    refusals.push({ setting: labelOf(setting, texts), problem, remedy });
  const isSet = (setting: Setting<unknown>) => texts.has(setting.name);
  const s = SETTINGS;

  for (const setting of [s.BLOB_URL, s.REDIS_URL]) {
    if (isSet(setting)) {
      refuse(
        setting,
        'is not supported by this build yet',
        'Remove it; one process needs neither.',
      );
    }
  }
  if (isSet(s.TLS_CERT_FILE) && !isSet(s.TLS_KEY_FILE)) {
    refuse(s.TLS_CERT_FILE, 'has no key beside it', 'Set PINFOLD_TLS_KEY_FILE as well.');
  }
  if (isSet(s.TLS_KEY_FILE) && !isSet(s.TLS_CERT_FILE)) {
    refuse(s.TLS_KEY_FILE, 'has no certificate beside it', 'Set PINFOLD_TLS_CERT_FILE as well.');
  }
  if (read(texts, s.METRICS_TLS) === 'yes' && !isSet(s.TLS_CERT_FILE)) {
    const remedy = 'Set PINFOLD_TLS_CERT_FILE and PINFOLD_TLS_KEY_FILE, or remove it.';
    refuse(s.METRICS_TLS, 'has no certificate to use', remedy);
  }
  if (read(texts, s.BODY_MEMORY_BYTES) < BODY_MEMORY_BYTES_MIN) {
    refuse(s.BODY_MEMORY_BYTES, 'has no room for the largest document', 'Give it 16 MiB or more.');
  }
  const isAllowlist = read(texts, s.SIGNUP) === 'allowlist';
  const hasEntries = read(texts, s.SIGNUP_ALLOWLIST).length > 0;
  if (hasEntries && !isAllowlist) {
    const remedy = 'Set PINFOLD_SIGNUP=allowlist, or remove the list.';
    refuse(s.SIGNUP_ALLOWLIST, 'is not heeded, because sign-up is not by list', remedy);
  }
  if (isAllowlist && !hasEntries) {
    const remedy =
      'Name wallets or e-mails in PINFOLD_SIGNUP_ALLOWLIST, or set PINFOLD_SIGNUP=closed.';
    refuse(s.SIGNUP, 'lets nobody in, because the list is empty', remedy);
  }
  const listeners = [
    [s.API_PORT, 'the API'],
    [s.S3_PORT, 'the S3 gateway'],
    [s.METRICS_PORT, 'the metrics'],
  ] as const;
  for (const [index, [setting]] of listeners.entries()) {
    const port = read(texts, setting);
    const other = listeners.slice(0, index).find(([earlier]) => read(texts, earlier) === port);
    if (port === 0 || other === undefined) continue;
    refuse(setting, `is the port of ${other[1]} too`, 'Give each listener a port of its own.');
  }
  return refusals;
}

function assemble(texts: SetTexts, workingDirectory: string): Config {
  const s = SETTINGS;
  const resolvePath = (setting: Setting<string | undefined>, path: string) =>
    resolve(texts.get(setting.name)?.baseDirectory ?? workingDirectory, path);
  const dataDirectory = resolvePath(s.DATA_DIR, read(texts, s.DATA_DIR));
  const masterKeyFile = read(texts, s.MASTER_KEY_FILE);
  const databaseUrl = read(texts, s.DATABASE_URL);
  const certFile = read(texts, s.TLS_CERT_FILE);
  const keyFile = read(texts, s.TLS_KEY_FILE);
  return {
    dataDirectory,
    masterKeyFile:
      masterKeyFile === undefined
        ? join(dataDirectory, 'keys', 'master.key')
        : resolvePath(s.MASTER_KEY_FILE, masterKeyFile),
    metadata:
      databaseUrl === undefined
        ? { kind: 'sqlite', file: join(dataDirectory, 'metadata.db') }
        : { kind: 'postgres', url: databaseUrl },
    blobs: {
      kind: 'disk',
      directory: join(dataDirectory, 'blobs'),
      minFreeBytes: read(texts, s.MIN_FREE_BYTES),
    },
    limits: { kind: 'memory' },
    api: {
      host: read(texts, s.HOST),
      port: read(texts, s.API_PORT),
      tls:
        certFile === undefined || keyFile === undefined
          ? { kind: 'off' }
          : {
              kind: 'on',
              certFile: resolvePath(s.TLS_CERT_FILE, certFile),
              keyFile: resolvePath(s.TLS_KEY_FILE, keyFile),
            },
    },
    s3: {
      port: read(texts, s.S3_PORT),
      publicUrl: read(texts, s.S3_PUBLIC_URL),
      isRegionStrict: read(texts, s.S3_STRICT_REGION) === 'yes',
    },
    metrics: {
      host: read(texts, s.METRICS_HOST),
      port: read(texts, s.METRICS_PORT),
      isTls: read(texts, s.METRICS_TLS) === 'yes',
    },
    publicUrl: read(texts, s.PUBLIC_URL),
    trustedProxies: read(texts, s.TRUSTED_PROXIES),
    region: read(texts, s.REGION),
    signup: signupOf(texts),
    quota: {
      freeStorageBytes: read(texts, s.FREE_STORAGE_BYTES),
      freeEgressBytes: read(texts, s.FREE_EGRESS_BYTES),
      freeBuckets: read(texts, s.FREE_BUCKETS),
      capacityBytes: read(texts, s.CAPACITY_BYTES),
    },
    rateLimits: rateLimitsOf(texts),
    prices: {
      storageUsdcRawPerGbMonth: read(texts, s.PRICE_STORAGE_USDC_RAW_PER_GB_MONTH),
      egressUsdcRawPerGb: read(texts, s.PRICE_EGRESS_USDC_RAW_PER_GB),
      tierThousandths: read(texts, s.TIER_MULTIPLIERS),
    },
    uploadLifeMs: uploadLifeOf(texts),
    log: { level: read(texts, s.LOG_LEVEL) },
    maxConnections: read(texts, s.MAX_CONNECTIONS),
    connectionsPerAddress: read(texts, s.CONNECTIONS_PER_ADDRESS),
    bodyMemoryBytes: Number(read(texts, s.BODY_MEMORY_BYTES)),
    shutdownGraceMs: read(texts, s.SHUTDOWN_GRACE_MS),
  };
}

function uploadLifeOf(texts: SetTexts): number | undefined {
  const days = read(texts, SETTINGS.UPLOAD_LIFE_DAYS);
  return days === undefined ? undefined : days * DAY_MS;
}

function signupOf(texts: SetTexts): SignupConfig {
  const kind = read(texts, SETTINGS.SIGNUP);
  if (kind !== 'allowlist') return { kind };
  const entries = read(texts, SETTINGS.SIGNUP_ALLOWLIST);
  return {
    kind,
    wallets: entries.flatMap((entry) => (entry.kind === 'wallet' ? [entry.wallet] : [])),
    emails: entries.flatMap((entry) => (entry.kind === 'email' ? [entry.email] : [])),
  };
}

function rateLimitsOf(texts: SetTexts): RateLimitsConfig {
  return {
    perSecond: read(texts, SETTINGS.RATE_LIMIT_PER_SECOND),
    perMinute: read(texts, SETTINGS.RATE_LIMIT_PER_MINUTE),
    anonymousPerSecond: read(texts, SETTINGS.RATE_LIMIT_ANONYMOUS_PER_SECOND),
    s3PerSecond: read(texts, SETTINGS.RATE_LIMIT_S3_PER_SECOND),
    signInPerMinute: read(texts, SETTINGS.RATE_LIMIT_SIGN_IN_PER_MINUTE),
    signUpsPerHour: read(texts, SETTINGS.SIGNUPS_PER_HOUR),
    passwordPerMinute: read(texts, SETTINGS.RATE_LIMIT_PASSWORD_PER_MINUTE),
  };
}

function refuseAll(refusals: readonly Refusal[]): void {
  if (refusals.length > 0) throw new ConfigError(refusals);
}

function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) freezeDeep(part);
    Object.freeze(value);
  }
  return value;
}
