/** Installs the system packages that tests need, where that is ours to do: as root on Debian. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';

type SystemPackage = {
  /** Debian's and Ubuntu's name of it. */
  readonly name: string;
  readonly isPresent: () => boolean;
};

const PACKAGES: readonly SystemPackage[] = [
  {
    name: 'postgresql',
    isPresent: () => globSync('/usr/lib/postgresql/*/bin/initdb').length > 0,
  },
  { name: 'curl', isPresent: () => isRunning('curl', ['--version']) },
  { name: 'openssl', isPresent: () => isRunning('openssl', ['version']) },
  { name: 'strace', isPresent: () => isRunning('strace', ['--version']) },
  { name: 'awscli', isPresent: () => existsSync('/usr/bin/aws') },
  { name: 'rclone', isPresent: () => isRunning('rclone', ['version']) },
  { name: 's3cmd', isPresent: () => isRunning('s3cmd', ['--version']) },
  { name: 'restic', isPresent: () => isRunning('restic', ['version']) },
  { name: 's3fs', isPresent: () => isRunning('s3fs', ['--version']) },
  { name: 'fuse3', isPresent: () => isRunning('fusermount3', ['--version']) },
  { name: 'nginx', isPresent: () => isRunning('nginx', ['-v']) },
  { name: 'python3-venv', isPresent: () => isRunning('python3', ['-c', 'import ensurepip, venv']) },
];

/** Says what is missing and what it does about it. What stays missing makes tests skip. */
export async function installSystemPackages(
  say: (line: string) => void,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  const missing = PACKAGES.filter((one) => !one.isPresent()).map(({ name }) => name);
  if (missing.length === 0) return;
  const isOurs = process.getuid?.() === 0 && existsSync('/etc/debian_version');
  if (!isOurs) {
    say(`missing system packages, whose tests are skipped: ${missing.join(' ')}`);
    return;
  }
  say(`installing system packages: ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    execFileSync('apt-get', ['update', '-q'], { env, stdio: 'pipe' });
    const install = ['install', '-q', '-y', '--no-install-recommends', ...missing];
    execFileSync('apt-get', install, { env, stdio: 'pipe' });
  } catch (error) {
    // Offline, or a mirror in trouble: the tests that need them say so by skipping.
    say(`could not install them: ${error instanceof Error ? error.message : String(error)}`);
  }
  options.signal.throwIfAborted();
}

function isRunning(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
