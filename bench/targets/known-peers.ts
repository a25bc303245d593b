/** Peers that are installed on request: exact versions, and how each is started. */

export type KnownPeer = {
  /** A Go package, as `go install` takes it. */
  readonly goPackage: string;
  readonly version: string;
  readonly program: string;
  /** A shell command; the variables are those of `S3_COMMAND_VARIABLES`. */
  readonly command: string;
  readonly words: string;
};

const VERSITYGW = {
  goPackage: 'github.com/versity/versitygw/cmd/versitygw',
  version: 'v1.8.0',
  program: 'versitygw',
} as const;

export const KNOWN_PEERS: Readonly<Record<string, KnownPeer>> = {
  minio: {
    goPackage: 'github.com/minio/minio',
    version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
    program: 'minio',
    command:
      'MINIO_ROOT_USER="$S3_ACCESS_KEY_ID" MINIO_ROOT_PASSWORD="$S3_SECRET" exec "$S3_PROGRAM" server --address "127.0.0.1:$S3_PORT" "$S3_DIRECTORY"',
    words: 'one drive, its defaults: one fdatasync an object before the answer',
  },
  versitygw: {
    ...VERSITYGW,
    command: versitygwCommand(''),
    words:
      'a folder of files, its defaults: nothing is synced, so its writes are not durable, and it closes the connection after every answer',
  },
  'versitygw-kept': {
    ...VERSITYGW,
    command: versitygwCommand('--keep-alive'),
    words: 'the same with --keep-alive: not durable either',
  },
};

function versitygwCommand(options: string): string {
  return `ROOT_ACCESS_KEY="$S3_ACCESS_KEY_ID" ROOT_SECRET_KEY="$S3_SECRET" exec "$S3_PROGRAM" ${options} --port "127.0.0.1:$S3_PORT" posix "$S3_DIRECTORY"`;
}
