/** The data directory cannot be used: the message says what is wrong, `remedy` what to do. */
export type DataDirectoryFault =
  | 'locked'
  | 'not_pinfold'
  | 'restore_unfinished'
  | 'newer_format'
  | 'format_unreadable'
  | 'key_missing'
  | 'key_exposed'
  | 'key_malformed'
  | 'inaccessible';

export class DataDirectoryError extends Error {
  readonly fault: DataDirectoryFault;
  readonly remedy: string;

  constructor(
    fault: DataDirectoryFault,
    words: { readonly message: string; readonly remedy: string; readonly cause?: unknown },
  ) {
    super(words.message, words.cause === undefined ? undefined : { cause: words.cause });
    this.name = 'DataDirectoryError';
    this.fault = fault;
    this.remedy = words.remedy;
  }
}
