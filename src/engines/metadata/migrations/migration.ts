/** What a migration of the metadata schema is; docs/formats/schema.md holds the rules. */

/** How one engine spells the column types that the two do not share. */
export type ColumnTypes = {
  /** 64-bit integer. */
  readonly int8: string;
  /** 32-bit integer; also truth values, 0 or 1. */
  readonly int4: string;
  /** Text that compares by its bytes. */
  readonly text: string;
  /** Raw bytes that compare as bytes. */
  readonly bytes: string;
  /** A 64-bit primary key that the engine numbers, never reusing one. */
  readonly identity: string;
  /** An expression for a word that nobody else has. */
  readonly randomWord: string;
  /** What ends a table whose primary key is its only order. */
  readonly keyed: string;
  /** What ends any other table. */
  readonly plain: string;
};

export type Migration = {
  /** 1, 2, 3…: each raises the schema by one. */
  readonly version: number;
  readonly name: string;
  /** The statements, run in order in one transaction. */
  statements(types: ColumnTypes): readonly string[];
};

export const SQLITE_TYPES: ColumnTypes = {
  int8: 'integer',
  int4: 'integer',
  text: 'text',
  bytes: 'blob',
  identity: 'integer primary key autoincrement',
  randomWord: 'lower(hex(randomblob(16)))',
  keyed: 'strict, without rowid',
  plain: 'strict',
};

export const POSTGRES_TYPES: ColumnTypes = {
  int8: 'bigint',
  int4: 'integer',
  text: 'text collate "C"',
  bytes: 'bytea',
  identity: 'bigint generated always as identity primary key',
  randomWord: 'gen_random_uuid()::text',
  keyed: '',
  plain: '',
};
