/**
 * The log: JSON lines by pino; constant sentences with facts as fields, never bodies or secrets.
 */
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'> & {
  /**
   * One line a request. Its facts are those of `AccessFacts` and no others, so none is redacted.
   */
  readonly access: (facts: AccessFacts) => void;
};

/** What the access line of a request says. */
export type AccessFacts = {
  readonly requestId: string;
  readonly method: string;
  /** The pattern; paths may hold what only their owner should see. */
  readonly route: string;
  readonly status: number;
  readonly ms: number;
  readonly account: string | undefined;
  readonly credential: string | undefined;
  readonly address: string;
  readonly isWhole: boolean;
};

/** Fields that must not be written even if one is passed by mistake. */
const REDACTED = ['authorization', 'cookie', 'password', 'token', 'secret', 'signature', 'appKey'];

export function createLog(level: string, destination: DestinationStream): Log {
  const options = {
    level,
    base: null,
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  const paths = REDACTED.flatMap((name) => [name, `*.${name}`]);
  const main = pino({ ...options, redact: { paths, censor: '[redacted]' } }, destination);
  // Redaction walks each line: 9 us that the access line's fixed facts have no need of.
  const access = pino(options, destination);
  return Object.assign(main, { access: (facts: AccessFacts) => access.info(facts, 'request') });
}

/** A line waits at most so long before it is written out. */
const FLUSH_MS = 500;
const BUFFER_BYTES = 8 * 1024;

/** Standard output, written in pieces: a system call a line costs more than the line. */
export function openLogOutput(after: (ms: number, run: () => void) => () => void): {
  readonly destination: DestinationStream;
  /** Writes out what waits; call it last. */
  readonly close: () => void;
} {
  const output = pino.destination({ fd: 1, minLength: BUFFER_BYTES, sync: true });
  // A reader that went away (`| head`) is no reason to stop serving.
  output.on('error', () => undefined);
  let cancel: () => void = () => undefined;
  const schedule = () => {
    cancel = after(FLUSH_MS, () => {
      output.flushSync();
      schedule();
    });
  };
  schedule();
  return {
    destination: output,
    close: () => {
      cancel();
      output.flushSync();
    },
  };
}

/** The log of tests that look at no lines. */
export const SILENT_LOG: Log = createLog('silent', { write: () => undefined });
