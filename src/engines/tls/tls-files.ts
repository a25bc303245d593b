/**
 * The certificate and key of the listeners, read from files again whenever these change. The files
 * are looked at and not watched: tools that renew certificates switch links to other directories,
 * which a watcher of the old files does not see.
 */
import { readFile, stat } from 'node:fs/promises';
import type { Server } from 'node:tls';
import type { Clock } from '../../core/ports/clock.ts';
import { parseTlsPair, type TlsPair, TlsPairError } from '../../kit/tls-pair.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';

export type TlsFilesDeps = {
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly metrics: Pick<Metrics, 'setCertificateEnd'>;
};

export type TlsFilesOptions = { readonly certFile: string; readonly keyFile: string };

/** How often the files are looked at; a certificate is renewed weeks before it ends. */
export const LOOK_EVERY_MS = 2000;

export class TlsFiles implements Disposable {
  readonly #deps: TlsFilesDeps;
  readonly #options: TlsFilesOptions;
  readonly #followers = new Set<Pick<Server, 'setSecureContext'>>();
  #current: TlsPair;
  /** Of the files when they were last read with success. */
  #stamp: string;
  /** Of files that were refused: once they stay as they are, it is said, and said once. */
  #refused: { readonly stamp: string; readonly isSaid: boolean } | undefined;
  #cancel: () => void = () => undefined;
  #isOver = false;

  private constructor(
    deps: TlsFilesDeps,
    options: TlsFilesOptions,
    read: { readonly pair: TlsPair; readonly stamp: string },
  ) {
    this.#deps = deps;
    this.#options = options;
    this.#current = read.pair;
    this.#stamp = read.stamp;
    this.#schedule();
  }

  /** Reads the files; throws `TlsPairError` when they cannot be used. */
  static async open(deps: TlsFilesDeps, options: TlsFilesOptions): Promise<TlsFiles> {
    const stamp = await stampOf(options);
    const pair = await readPair(options);
    note(deps, pair);
    return new TlsFiles(deps, options, { pair, stamp });
  }

  /** What the files held when they last fitted each other. */
  get current(): TlsPair {
    return this.#current;
  }

  /**
   * Gives `server` each later pair. Connections that stand go on as they are; new ones meet the new
   * certificate.
   */
  follow(server: Pick<Server, 'setSecureContext'>): void {
    this.#followers.add(server);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#cancel();
  }

  #schedule(): void {
    if (this.#isOver) return;
    this.#cancel = this.#deps.clock.after(LOOK_EVERY_MS, () => {
      void this.#look().finally(() => this.#schedule());
    });
  }

  /** Never rejects: what is wrong with the files is said, and the old pair kept. */
  async #look(): Promise<void> {
    // Before the files are read, so that a change in between is seen the next time.
    const stamp = await stampOf(this.#options);
    if (stamp === this.#stamp) {
      this.#refused = undefined;
      return;
    }
    try {
      const pair = await readPair(this.#options);
      if (this.#isOver) return;
      for (const server of this.#followers) server.setSecureContext(pair.context);
      this.#current = pair;
      this.#stamp = stamp;
      this.#refused = undefined;
      note(this.#deps, pair);
    } catch (error) {
      this.#refuse(stamp, error);
    }
  }

  /** Two files are replaced one after the other, so a pair that does not fit may be half of one. */
  #refuse(stamp: string, error: unknown): void {
    const isSettled = this.#refused?.stamp === stamp;
    if (isSettled && this.#refused?.isSaid === false) {
      const reason = error instanceof Error ? error.message : String(error);
      const { fingerprint } = this.#current;
      this.#deps.log.error(
        { ...this.#options, reason, fingerprint },
        'the TLS files changed but cannot be used; the old certificate is kept',
      );
    }
    this.#refused = { stamp, isSaid: isSettled };
  }
}

/** Says which certificate is in use: its fingerprint and end are what an operator compares. */
function note({ clock, log, metrics }: TlsFilesDeps, { endsAtMs, fingerprint }: TlsPair): void {
  metrics.setCertificateEnd(endsAtMs);
  const facts = { fingerprint, endsAt: new Date(endsAtMs).toISOString() };
  if (endsAtMs <= clock.now()) log.warn(facts, 'the TLS certificate in use has expired');
  else log.info(facts, 'a TLS certificate is in use');
}

/** Changes whenever one of the files does, by whatever means. */
async function stampOf({ certFile, keyFile }: TlsFilesOptions): Promise<string> {
  const stamps = await Promise.all(
    [certFile, keyFile].map(async (file) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
        return [dev, ino, size, mtimeNs, ctimeNs].join(':');
      } catch {
        // Whoever reads the file is told why it cannot be read.
        return 'unreadable';
      }
    }),
  );
  return stamps.join(' ');
}

async function readPair({ certFile, keyFile }: TlsFilesOptions): Promise<TlsPair> {
  const [cert, key] = await Promise.all([readText(certFile), readText(keyFile)]);
  return parseTlsPair({ cert, key });
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new TlsPairError(`There is no file ${file} that can be read.`, error);
  }
}
