/**
 * Completes package-lock.json after `npm install --package-lock-only`.
 *
 * npm leaves out platform packages that its registry does not serve, and then `npm ci` refuses the
 * lock for lacking them. Each gets an entry that says for which platform it is, so that it is
 * passed over everywhere else. Run as `node scripts/complete-lock.ts` in the project's root.
 */
import { readFileSync, writeFileSync } from 'node:fs';

type LockedPackage = {
  version: string;
  os?: string[];
  cpu?: string[];
  dev?: boolean;
  optional?: boolean;
  optionalDependencies?: Record<string, string>;
};

const SYSTEMS = ['android', 'darwin', 'linux', 'win32', 'freebsd'];
const PROCESSORS = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64'];

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, LockedPackage> };
const { packages } = lock;
let added = 0;
for (const owner of Object.values(packages)) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    const words = name.split('-');
    const os = SYSTEMS.find((system) => words.includes(system));
    const cpu = PROCESSORS.find((processor) => words.includes(processor));
    if (packages[key] !== undefined || os === undefined || cpu === undefined) continue;
    const dev = owner.dev === true ? { dev: true } : {};
    packages[key] = { version, cpu: [cpu], ...dev, optional: true, os: [os] };
    added += 1;
  }
}
// NOTE: linux-x64-musl is for another C library of the same system and processor.
for (const [key, entry] of Object.entries(packages)) {
  if (key.endsWith('-musl')) Object.assign(entry, { libc: ['musl'] });
}
lock.packages = Object.fromEntries(
  Object.entries(packages).sort(([one], [other]) => (one < other ? -1 : 1)),
);
writeFileSync(path, `${JSON.stringify(lock, undefined, 2)}\n`);
process.stdout.write(`added ${added} platform packages\n`);
