/** A server whose public addresses are those of a proxy, and `pinfold doctor` run against them. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Machine } from '../../src/cli/cli-world.ts';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import { type Certificates, makeCertificates } from '../clients/s3/certificates.ts';
import { runLine } from '../world/cli-line.ts';
import { freePort, type ProxyPlace, type StartedProxy } from '../world/proxies.ts';
import { freshDirectory, startServer, type TestSettings } from '../world/server.ts';

export type DoctorWorld = AsyncDisposable & {
  /** Where the listeners are; the names of the proxy are `127.0.0.1` (S3) and `localhost`. */
  readonly apiPort: number;
  readonly s3Port: number;
  readonly proxyPort: number;
  readonly certificates: Certificates;
  readonly start: (start: (place: ProxyPlace) => Promise<StartedProxy>) => Promise<void>;
  readonly doctor: (options?: DoctorOptions) => Promise<DoctorReport>;
  /** Keys of everything that is stored. */
  readonly stored: () => Promise<number>;
};

export type DoctorOptions = {
  readonly words?: readonly string[];
  readonly machine?: Machine;
};

export type DoctorReport = {
  readonly exitCode: number;
  readonly checks: readonly {
    readonly target: string;
    readonly check: string;
    readonly state: string;
    readonly says: string;
    readonly remedy: string | null;
  }[];
  /** `state says` of one check. */
  readonly of: (target: 's3' | 'api', check: string) => string;
  /** Those that are not ok. */
  readonly faults: readonly string[];
};

export async function openDoctorWorld(options: {
  readonly isTls: boolean;
  readonly settings?: TestSettings;
}): Promise<DoctorWorld> {
  await using stack = new AsyncDisposableStack();
  const directory = await freshDirectory();
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const certificates = await makeCertificates(directory, { days: 30 });
  const ports = { api: await freePort(), s3: await freePort(), proxy: await freePort() };
  const scheme = options.isTls ? 'https' : 'http';
  const server = stack.use(
    await startServer({
      settings: {
        API_PORT: `${ports.api}`,
        S3_PORT: `${ports.s3}`,
        PUBLIC_URL: `${scheme}://localhost:${ports.proxy}`,
        S3_PUBLIC_URL: `${scheme}://127.0.0.1:${ports.proxy}`,
        TRUSTED_PROXIES: '127.0.0.1',
        ...options.settings,
      },
    }),
  );
  const admin = adminClient(server.adminSocket);
  await admin.createAccount({ username: 'ann' });
  await admin.addOperator('ann');
  const all = stack.move();
  return {
    apiPort: ports.api,
    s3Port: ports.s3,
    proxyPort: ports.proxy,
    certificates,
    start: async (start) => {
      all.use(await start({ directory: join(directory, 'proxy'), port: ports.proxy }));
    },
    doctor: async ({ words = ['--ca-file', certificates.caFile], machine } = {}) => {
      const { exitCode, result, notes } = await runLine({
        directory: server.directory,
        argv: ['doctor', '--json', ...words],
        ...(machine === undefined ? {} : { composition: { machine } }),
      });
      const document = JSON.parse(result) as Pick<DoctorReport, 'checks'>;
      assert.ok(Array.isArray(document.checks), `${result} ${notes}`);
      const keys = await admin.listS3Keys('ann');
      assert.ok(keys.keys.every((key) => key.revoked_at !== null));
      return reportOf(exitCode, document.checks);
    },
    stored: async () => (await admin.getAccount('ann')).stored_bytes,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function reportOf(exitCode: number, checks: DoctorReport['checks']): DoctorReport {
  return {
    exitCode,
    checks,
    of: (target, check) => {
      const found = checks.find((one) => one.target === target && one.check === check);
      assert.ok(found, `There is no check ${target} ${check}.`);
      return `${found.state} ${found.says}`;
    },
    faults: checks
      .filter(({ state }) => state !== 'ok')
      .map(({ target, check, state, says }) => `${target} ${check}: ${state} ${says}`),
  };
}
