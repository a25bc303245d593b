/**
 * The documents of upkeep: lines of the socket's streams, and what the commands print with
 * `--json`.
 */
import { type Static, Type } from 'typebox';
import { FINDING_KINDS } from '../../core/upkeep/finding.ts';

const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** Sums are exact up to 2^53, nine petabytes. */
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const FindingDocument = Type.Object({
  kind: Type.Enum([...FINDING_KINDS]),
  subject: Type.String(),
  detail: Type.String(),
  blob_id: Nullable(Count),
  user_id: Nullable(Type.String()),
  /** Whose bytes are missing or damaged; the first ten. */
  objects: Type.Array(Type.Object({ bucket: Type.String(), key: Type.String() })),
});

export const VerifyDocument = Type.Object({
  checked: Type.Object({
    accounts: Count,
    buckets: Count,
    /** Objects, former versions, parts of open uploads. */
    owners: Count,
    links: Count,
    blobs: Count,
    bytes: Count,
    segments: Count,
    segment_bytes: Count,
    dead_bytes: Count,
    /** Bytes without a row that the sweeper will take. */
    unpublished: Count,
  }),
  /** The first thousand. */
  findings: Type.Array(FindingDocument),
  findings_total: Count,
});

export const BackupDocument = Type.Object({
  directory: Type.String(),
  number: Count,
  taken_at: Type.String(),
  blobs: Count,
  blob_bytes: Count,
  copied_bytes: Count,
  reused_bytes: Count,
  losses: Type.Array(Type.Object({ blob_id: Count, reason: Type.String() })),
});

export const RestoreDocument = Type.Object({
  directory: Type.String(),
  number: Count,
  taken_at: Type.String(),
  blobs: Count,
  blob_bytes: Count,
  sessions_revoked: Count,
  verified: VerifyDocument,
});

/** The body of `POST /admin/v1/backup`. */
export const BackupRequestDocument = Type.Object({
  directory: Type.String({ pattern: '^/|^[A-Za-z]:[\\\\/]' }),
  with_keys: Type.Boolean(),
});

export const ProgressLine = Type.Object({
  event: Type.Literal('progress'),
  step: Type.Enum(['rows', 'metadata', 'blobs', 'segments', 'kept']),
  done: Type.Number(),
  total: Nullable(Type.Number()),
});

export const FailureLine = Type.Object({
  event: Type.Literal('failed'),
  code: Type.String(),
  message: Type.String(),
  hint: Nullable(Type.String()),
});

export type VerifyDocument = Static<typeof VerifyDocument>;
export type BackupDocument = Static<typeof BackupDocument>;
export type RestoreDocument = Static<typeof RestoreDocument>;
export type ProgressLine = Static<typeof ProgressLine>;
export type FailureLine = Static<typeof FailureLine>;
