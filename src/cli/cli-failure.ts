/** What a command failed with, as people and programs are told. */
import { CommanderError } from 'commander';
import { ConfigError, sayRefusal } from '../config/refusal.ts';
import { type ErrorCode, ServiceError } from '../core/errors.ts';
import { BackupError, type BackupFault } from '../core/ports/store-backup.ts';
import { AdminCallError } from '../dialects/admin/admin-client.ts';
import { SocketPathError } from '../dialects/admin/socket-path.ts';
import {
  DataDirectoryError,
  type DataDirectoryFault,
} from '../engines/data-directory/data-directory-error.ts';
import { TlsPairError } from '../kit/tls-pair.ts';
import { EXIT_CODES, EXIT_CODES_OF_ERRORS, type ExitCode } from './exit-codes.ts';

export type CliFailure = {
  /** Stable, for programs. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint: string | undefined;
  readonly requestId: string | undefined;
  readonly exitCode: ExitCode;
  /** Set when it is a fault of this program and not of its use. */
  readonly stack?: string | undefined;
};

/** A refusal of the command line itself. */
export class CliRefusal extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(
    message: string,
    facts: {
      readonly code: string;
      readonly exitCode: ExitCode;
      readonly hint?: string;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: facts.cause });
    this.name = 'CliRefusal';
    this.code = facts.code;
    this.hint = facts.hint;
    this.exitCode = facts.exitCode;
  }
}

/** Ends a command that has given its answer with a code that says how that turned out. */
export class CliVerdict extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode) {
    super('The answer is given.');
    this.name = 'CliVerdict';
    this.exitCode = exitCode;
  }
}

/** Says any thrown value; what is unknown is a fault of ours and keeps its stack. */
export function failureOf(error: unknown): CliFailure {
  const none = { hint: undefined, requestId: undefined };
  if (error instanceof CliRefusal) {
    const { code, message, hint, exitCode } = error;
    return { ...none, code, message, hint, exitCode };
  }
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
    const hint = 'Add --help to see how the command is used.';
    return { ...none, code: 'usage', message, hint, exitCode: EXIT_CODES.usage };
  }
  if (error instanceof ConfigError) return configFailure(error);
  if (error instanceof DataDirectoryError) {
    const { message, remedy: hint, fault } = error;
    const code = `data_directory_${fault}`;
    return { ...none, code, message, hint, exitCode: EXIT_CODES_OF_FAULTS[fault] };
  }
  if (error instanceof BackupError) {
    const { message, remedy: hint, fault: code } = error;
    return { ...none, code, message, hint, exitCode: EXIT_CODES_OF_BACKUP_FAULTS[code] };
  }
  if (error instanceof SocketPathError) {
    const { message, remedy: hint } = error;
    return { ...none, code: 'socket_path', message, hint, exitCode: EXIT_CODES.usage };
  }
  if (error instanceof AdminCallError) {
    const { message, requestId } = error;
    const hint = requestId === undefined ? undefined : 'The server wrote down why.';
    return { code: 'server_failed', message, hint, requestId, exitCode: EXIT_CODES.unavailable };
  }
  if (error instanceof TlsPairError) {
    const { message } = error;
    const hint =
      'PINFOLD_TLS_CERT_FILE and PINFOLD_TLS_KEY_FILE name PEM files that belong together; the key has no passphrase.';
    return { ...none, code: 'tls_invalid', message, hint, exitCode: EXIT_CODES.failure };
  }
  if (error instanceof ServiceError) return serviceFailure(error);
  return systemFailure(error) ?? faultOf(error);
}

const EXIT_CODES_OF_FAULTS: Readonly<Record<DataDirectoryFault, ExitCode>> = {
  locked: EXIT_CODES.conflict,
  not_pinfold: EXIT_CODES.usage,
  restore_unfinished: EXIT_CODES.conflict,
  newer_format: EXIT_CODES.failure,
  format_unreadable: EXIT_CODES.failure,
  key_missing: EXIT_CODES.failure,
  key_exposed: EXIT_CODES.failure,
  key_malformed: EXIT_CODES.failure,
  inaccessible: EXIT_CODES.failure,
};

const EXIT_CODES_OF_BACKUP_FAULTS: Readonly<Record<BackupFault, ExitCode>> = {
  backup_unsupported: EXIT_CODES.usage,
  backup_running: EXIT_CODES.conflict,
  backup_directory_unfit: EXIT_CODES.conflict,
  backup_of_other_store: EXIT_CODES.conflict,
  backup_missing: EXIT_CODES.notFound,
  backup_newer_format: EXIT_CODES.failure,
  backup_damaged: EXIT_CODES.failure,
  backup_disk_full: EXIT_CODES.unavailable,
  restore_not_empty: EXIT_CODES.conflict,
  restore_key_missing: EXIT_CODES.failure,
  restore_key_wrong: EXIT_CODES.forbidden,
};

const HINTS: Readonly<Partial<Record<ErrorCode, string>>> = {
  account_not_found:
    'Name it by its user id, slug, e-mail, username or wallet; "pinfold admin accounts list" shows them.',
  token_name_taken: 'Choose another --name, or revoke the token that bears it.',
  storage_full: 'Free some space on the disk of the data directory.',
};

function configFailure(error: ConfigError): CliFailure {
  const [first, ...rest] = error.refusals;
  const isOne = first !== undefined && rest.length === 0;
  return {
    code: 'config_invalid',
    message: isOne
      ? `${first.setting} ${first.problem}.`
      : ['Some settings cannot be used:', ...error.refusals.map(sayRefusal)].join('\n  '),
    hint: isOne ? first.remedy : undefined,
    requestId: undefined,
    exitCode: EXIT_CODES.usage,
  };
}

function serviceFailure({ code, message, details }: ServiceError): CliFailure {
  const requestId = details['requestId'];
  return {
    code,
    message,
    hint: HINTS[code],
    requestId: typeof requestId === 'string' ? requestId : undefined,
    exitCode: EXIT_CODES_OF_ERRORS[code],
  };
}

/** Failed calls of the operating system that the machine's owner can mend. */
function systemFailure(error: unknown): CliFailure | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  const place = 'port' in error ? `port ${String(error.port)}` : 'its address';
  const facts = { requestId: undefined, exitCode: EXIT_CODES.failure };
  switch (code) {
    case 'EADDRINUSE':
      return {
        ...facts,
        code: 'address_in_use',
        message: `Something else listens on ${place} already.`,
        hint: 'Stop it, or set PINFOLD_API_PORT, PINFOLD_S3_PORT or PINFOLD_METRICS_PORT to a free port.',
      };
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return {
        ...facts,
        code: 'address_not_here',
        message: 'This machine has no such address to listen on.',
        hint: 'Set PINFOLD_HOST to one of its addresses, or to 0.0.0.0 for all of them.',
      };
    case 'EACCES':
    case 'EPERM':
      return {
        ...facts,
        code: 'permission_denied',
        message: `The system does not permit it: ${error.message}.`,
        hint: 'Run it as the user that owns the data directory; ports below 1024 need a permission.',
        exitCode: EXIT_CODES.forbidden,
      };
    case 'ENOENT':
    case 'EISDIR':
    case 'ENOTDIR':
      return {
        ...facts,
        code: 'file_not_found',
        message: `There is no file ${'path' in error ? String(error.path) : ''} that can be read.`,
        hint: 'Check the settings that name files: pinfold config prints them.',
      };
    default:
      return undefined;
  }
}

function faultOf(error: unknown): CliFailure {
  const cause = error instanceof Error ? error : new Error(String(error));
  return {
    code: 'internal',
    message: cause.message,
    hint: 'This is a fault of Pinfold; please report it with the lines below.',
    requestId: undefined,
    exitCode: EXIT_CODES.failure,
    stack: cause.stack,
  };
}
