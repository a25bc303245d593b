/** The log: JSON lines by pino; constant sentences with facts as fields, never bodies or secrets. */
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

/** Fields that must not be written even if one is passed by mistake. */
const REDACTED = ['authorization', 'cookie', 'password', 'token', 'secret', 'signature', 'appKey'];

export function createLog(level: string, destination: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    destination,
  );
}

/** The log of tests that look at no lines. */
export const SILENT_LOG: Log = pino({ level: 'silent' });
