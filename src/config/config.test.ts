/** Proves precedence, parsing and that every refusal names the setting and the remedy. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig, publicUrlOf, s3PublicUrlOf } from './config.ts';
import { environmentOf } from './env.ts';
import { ConfigError } from './refusal.ts';
import { SETTINGS, type SettingName } from './settings.ts';

const root = mkdtempSync(join(tmpdir(), 'pinfold-config-'));
after(() => rmSync(root, { recursive: true, force: true }));

let made = 0;
/** A working directory with a `pinfold.toml` when `toml` is given. */
function directoryWith(toml?: string): string {
  made += 1;
  const directory = join(root, `case-${made}`);
  mkdirSync(directory);
  if (toml !== undefined) writeFileSync(join(directory, 'pinfold.toml'), toml);
  return directory;
}

type Variables = Readonly<Record<string, string>>;

function load(variables: Variables, toml?: string) {
  const environment = environmentOf(variables);
  return loadConfig({ environment, workingDirectory: directoryWith(toml) });
}

function refusalsOf(variables: Variables, toml?: string) {
  try {
    load(variables, toml);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.refusals;
  }
  assert.fail('nothing was refused');
}

test('without settings the documented defaults hold', () => {
  const workingDirectory = directoryWith();
  const config = loadConfig({ environment: environmentOf({}), workingDirectory });
  assert.equal(config.dataDirectory, join(workingDirectory, 'data'));
  assert.equal(config.masterKeyFile, join(workingDirectory, 'data', 'keys', 'master.key'));
  assert.deepEqual(config.api, { host: '127.0.0.1', port: 8080, tls: { kind: 'off' } });
  assert.deepEqual(config.metrics, { host: '127.0.0.1', port: 9100, isTls: false });
  assert.deepEqual(config.quota, {
    freeStorageBytes: 1_000_000_000n,
    freeEgressBytes: 100_000_000_000n,
    freeBuckets: 1,
    capacityBytes: undefined,
  });
  assert.equal(config.blobs.minFreeBytes, 1024n ** 3n);
  assert.deepEqual(config.signup, { kind: 'open' });
  assert.deepEqual(config.prices.tierThousandths, [1000, 2500, 5000, 10_000, 25_000]);
  assert.deepEqual(config.rateLimits, {
    perSecond: 1000,
    perMinute: 30_000,
    anonymousPerSecond: 50,
    s3PerSecond: undefined,
    signInPerMinute: 60,
    signUpsPerHour: 10,
    passwordPerMinute: 10,
  });
});

test('the environment wins over the file, and the file over the default', () => {
  const toml = 'region = "file"\nlog_level = "warn"\n';
  const config = load({ PINFOLD_REGION: 'env' }, toml);
  assert.equal(config.region, 'env');
  assert.equal(config.log.level, 'warn');
  assert.equal(config.api.port, 8080);
});

test('an empty variable is as good as none', () => {
  const config = load({ PINFOLD_REGION: '', PINFOLD_DATABASE_URL: ' ' }, 'region = "file"\n');
  assert.equal(config.region, 'file');
  assert.equal(config.metadata.kind, 'sqlite');
});

test('the file may be named, and its relative paths begin beside it', () => {
  const elsewhere = directoryWith('data_dir = "store"\n');
  const config = load({ PINFOLD_CONFIG_FILE: join(elsewhere, 'pinfold.toml') });
  assert.equal(config.dataDirectory, join(elsewhere, 'store'));
});

test('the file takes numbers and lists as they are usual in TOML', () => {
  const config = load({}, 'api_port = 8_088\ntrusted_proxies = ["10.0.0.0/8", "::1"]\n');
  assert.equal(config.api.port, 8088);
  assert.deepEqual(config.trustedProxies, ['10.0.0.0/8', '::1']);
});

test('sizes take plain bytes and units of 1000 and 1024', () => {
  const bytesOf = (text: string) => load({ PINFOLD_CAPACITY_BYTES: text }).quota.capacityBytes;
  assert.equal(bytesOf('12345'), 12_345n);
  assert.equal(bytesOf('3 kB'), 3000n);
  assert.equal(bytesOf('3KiB'), 3072n);
  assert.equal(bytesOf('2MB'), 2_000_000n);
  assert.equal(bytesOf('2 mib'), 2_097_152n);
  assert.equal(bytesOf('5 GB'), 5_000_000_000n);
  assert.equal(bytesOf('1TiB'), 1024n ** 4n);
});

test('a rate of 0 is no limit', () => {
  const config = load({ PINFOLD_RATE_LIMIT_PER_SECOND: '0' });
  assert.equal(config.rateLimits.perSecond, undefined);
});

test('engines, TLS and sign-up are unions', () => {
  const config = load({
    PINFOLD_DATABASE_URL: 'postgres://me:pw@db/pinfold',
    PINFOLD_TLS_CERT_FILE: '/etc/tls/cert.pem',
    PINFOLD_TLS_KEY_FILE: '/etc/tls/key.pem',
    PINFOLD_SIGNUP: 'allowlist',
    PINFOLD_SIGNUP_ALLOWLIST: 'Ann@Example.org, 7Np41oeYqPefeNQEHSv1UDhYrehxin3NStELsSKCT4K2',
  });
  assert.deepEqual(config.metadata, { kind: 'postgres', url: 'postgres://me:pw@db/pinfold' });
  assert.deepEqual(config.api.tls, {
    kind: 'on',
    certFile: '/etc/tls/cert.pem',
    keyFile: '/etc/tls/key.pem',
  });
  assert.deepEqual(config.signup, {
    kind: 'allowlist',
    wallets: ['7Np41oeYqPefeNQEHSv1UDhYrehxin3NStELsSKCT4K2'],
    emails: ['ann@example.org'],
  });
});

test('the configuration is frozen through and through', () => {
  const config = load({});
  assert.ok(
    Object.isFrozen(config) && Object.isFrozen(config.api) && Object.isFrozen(config.api.tls),
  );
});

test('the public URL is an origin, or follows from where the API listens', () => {
  const fixed = load({ PINFOLD_PUBLIC_URL: 'https://Files.Example.org/' });
  assert.equal(publicUrlOf(fixed, 8080), 'https://files.example.org');
  assert.equal(publicUrlOf(load({}), 8080), 'http://localhost:8080');
  assert.equal(publicUrlOf(load({ PINFOLD_HOST: '0.0.0.0' }), 80), 'http://localhost');
  assert.equal(publicUrlOf(load({ PINFOLD_HOST: '192.0.2.7' }), 1234), 'http://192.0.2.7:1234');
  assert.equal(
    publicUrlOf(load({ PINFOLD_HOST: '2001:db8::1' }), 1234),
    'http://[2001:db8::1]:1234',
  );
});

test('the public URL of the S3 gateway is its own', () => {
  const fixed = load({
    PINFOLD_PUBLIC_URL: 'https://files.example.org',
    PINFOLD_S3_PUBLIC_URL: 'https://S3.example.org:443/',
  });
  assert.equal(s3PublicUrlOf(fixed, 9000), 'https://s3.example.org');
  assert.equal(s3PublicUrlOf(load({ PINFOLD_HOST: '::1' }), 9000), 'http://localhost:9000');
  assert.equal(load({}).s3.port, 9000);
});

test('what Kubernetes adds for a Service named pinfold is not mistaken for settings', () => {
  load({
    PINFOLD_PORT: 'tcp://10.0.0.1:8080',
    PINFOLD_SERVICE_HOST: '10.0.0.1',
    PINFOLD_SERVICE_PORT_HTTP: '8080',
    PINFOLD_PORT_8080_TCP_ADDR: '10.0.0.1',
  });
  const [refusal] = refusalsOf({ PINFOLD_API_PORT: 'tcp://10.0.0.1:8080' });
  assert.match(refusal?.remedy ?? '', /enableServiceLinks/);
});

test('names that are no settings are refused with the nearest one', () => {
  const cases: readonly [Variables, string | undefined, string, RegExp][] = [
    [{ PINFOLD_DATADIR: 'x' }, undefined, 'PINFOLD_DATADIR', /PINFOLD_DATA_DIR\?/],
    [{ PINFOLD_PUBLIC_ULR: 'x' }, undefined, 'PINFOLD_PUBLIC_ULR', /PINFOLD_PUBLIC_URL\?/],
    [{ PINFOLD_ZZZZZZ: 'x' }, undefined, 'PINFOLD_ZZZZZZ', /docs\/configuration\.md/],
    [{}, 'prot = 1\napi_prot = 1\n', 'prot in ', /\.$|\?$/],
    [{}, 'api_prot = 1\n', 'api_prot in ', /api_port\?/],
    [{}, 'API_PORT = 1\n', 'API_PORT in ', /api_port\?/],
    [{}, 'PINFOLD_API_PORT = 1\n', 'PINFOLD_API_PORT in ', /api_port\?/],
  ];
  for (const [variables, toml, setting, remedy] of cases) {
    const [refusal] = refusalsOf(variables, toml);
    assert.equal(refusal?.setting.startsWith(setting), true, setting);
    assert.match(refusal?.remedy ?? '', remedy);
  }
});

test('all refusals come at once', () => {
  const refusals = refusalsOf({ PINFOLD_API_PORT: 'x', PINFOLD_LOG_LEVEL: 'loud' });
  assert.deepEqual(
    refusals.map((refusal) => refusal.setting),
    ['PINFOLD_API_PORT', 'PINFOLD_LOG_LEVEL'],
  );
});

/** Values that each setting must refuse; a setting without any is one that takes every text. */
const MALFORMED: Readonly<Record<SettingName, readonly string[]>> = {
  DATA_DIR: ['~/data', 'a\0b'],
  MASTER_KEY_FILE: ['~/key'],
  DATABASE_URL: ['sqlite:x', 'postgres://', 'db.example.org', 'postgres://u:a/b@h/db', 'x'],
  BLOB_URL: ['s3://bucket', 'x'],
  REDIS_URL: ['redis://localhost', 'x'],
  MIN_FREE_BYTES: ['1 parsec', '-1', '1.5 GB', '9999999999999999999'],
  CAPACITY_BYTES: ['lots', '10 EB', '8388608 TiB'],
  HOST: ['http://localhost', 'localhost:8080', '*', '127.0.0', 'a b'],
  API_PORT: ['65536', '-1', '80a', '9100'],
  METRICS_HOST: ['*'],
  METRICS_PORT: ['1e3', '8080'],
  METRICS_TLS: ['perhaps', 'yes'],
  S3_PORT: ['1e3', '8080', '9100'],
  S3_PUBLIC_URL: ['s3.example.org', 'https://files.example.org/base'],
  PUBLIC_URL: [
    'files.example.org',
    'ftp://files.example.org',
    'https://files.example.org/base',
    'https://files.example.org?x',
    'https://files.example.org/#',
    'https://me@files.example.org',
    'https://',
  ],
  TLS_CERT_FILE: ['/etc/cert.pem'],
  TLS_KEY_FILE: ['/etc/key.pem'],
  TRUSTED_PROXIES: ['proxy.example.org', '10.0.0.0/33', '10.0.0.1/a', '0.0.0.0/0', '::/0', '10.1'],
  REGION: ['eu west', 'é'],
  SIGNUP: ['yes', 'allowlist'],
  SIGNUP_ALLOWLIST: ['bob', 'ann@example.org'],
  FREE_STORAGE_BYTES: ['x'],
  FREE_EGRESS_BYTES: ['x'],
  FREE_BUCKETS: ['-1', '1.5', 'many'],
  RATE_LIMIT_PER_SECOND: ['-1', 'off'],
  RATE_LIMIT_PER_MINUTE: ['1.5'],
  RATE_LIMIT_ANONYMOUS_PER_SECOND: ['x'],
  RATE_LIMIT_S3_PER_SECOND: ['x'],
  S3_STRICT_REGION: ['perhaps'],
  RATE_LIMIT_SIGN_IN_PER_MINUTE: ['x'],
  RATE_LIMIT_PASSWORD_PER_MINUTE: ['x'],
  PRICE_STORAGE_USDC_RAW_PER_GB_MONTH: ['0.025'],
  PRICE_EGRESS_USDC_RAW_PER_GB: ['x'],
  TIER_MULTIPLIERS: ['1,2,4,8', '1,2,4,8,x'],
  LOG_LEVEL: ['loud'],
  UPLOAD_LIFE_DAYS: ['-1', '0.5', 'week', '36501'],
  MAX_CONNECTIONS: ['many', '-1'],
  CONNECTIONS_PER_ADDRESS: ['-1'],
  BODY_MEMORY_BYTES: ['x', '1 MiB'],
  SIGNUPS_PER_HOUR: ['many'],
  SHUTDOWN_GRACE_MS: ['10s', '86400001'],
};

for (const [name, values] of Object.entries(MALFORMED)) {
  test(`${name} refuses what it cannot mean, naming itself and the remedy`, () => {
    for (const value of values) {
      const refusals = refusalsOf({ [`PINFOLD_${name}`]: value });
      const named = [`PINFOLD_${name}`, 'PINFOLD_METRICS_PORT'];
      assert.equal(refusals.length, 1, value);
      assert.ok(named.includes(refusals[0]?.setting ?? ''), `${value}: ${refusals[0]?.setting}`);
      assert.match(refusals[0]?.remedy ?? '', /^[A-Z].{10,}[.?]$/);
      assert.match(refusals[0]?.problem ?? '', /^[a-z].*[^.]$/);
    }
  });
}

test('each setting stands under its own name', () => {
  for (const [name, setting] of Object.entries(SETTINGS)) assert.equal(setting.name, name);
});

test('a file that is not TOML, or not there, is refused by name', () => {
  const [notToml] = refusalsOf({}, 'api_port = = 1\n');
  assert.match(notToml?.setting ?? '', /pinfold\.toml$/);
  assert.match(notToml?.problem ?? '', /line 1/);
  const [table] = refusalsOf({}, '[api]\nport = 1\n');
  assert.match(table?.setting ?? '', /^api in /);
  const [missing] = refusalsOf({ PINFOLD_CONFIG_FILE: '/nowhere/pinfold.toml' });
  assert.equal(missing?.setting, 'PINFOLD_CONFIG_FILE');
  assert.match(missing?.problem ?? '', /ENOENT/);
});
