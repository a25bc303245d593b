/** The manifest: the state that a backup holds (docs/formats/backup.md). */
import { readFile } from 'node:fs/promises';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { BackupError } from '../../core/ports/store-backup.ts';
import { writeFileDurably } from '../data-directory/durable-file.ts';
import { isErrno } from '../errno.ts';

const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
/** Names of files in the backup itself: none leads out of it. */
const FileName = Type.String({ pattern: '^[0-9a-z-]+(\\.db)?$' });

const ManifestSegment = Type.Object({
  segment: Count,
  file: FileName,
  size_bytes: Count,
  crc32: Count,
  source_bytes: Count,
  source_changed_at: Type.Number(),
});

const Manifest = Type.Object({
  version: Type.Literal(1),
  store: Type.String(),
  number: Count,
  taken_at: Type.String(),
  metadata: Type.Object({ file: FileName, size_bytes: Count, sha256: Type.String() }),
  blob_files: Count,
  blob_file_bytes: Count,
  segments: Type.Array(ManifestSegment),
  keys: Type.Object({
    is_included: Type.Boolean(),
    checks: Type.Array(Type.Object({ kid: Type.String(), check: Type.String() })),
  }),
  damaged: Type.Array(
    Type.Object({
      blob_id: Count,
      reason: Type.Union([Type.Literal('missing'), Type.Literal('damaged')]),
    }),
  ),
});

export type ManifestSegment = Static<typeof ManifestSegment>;
export type Manifest = Static<typeof Manifest>;

/** `undefined` when there is none: no backup was finished here. */
export async function readManifest(file: string): Promise<Manifest | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const manifest = parseJson(text);
  if (Value.Check(Manifest, manifest)) return manifest;
  throw new BackupError('backup_damaged', {
    message: `${file} is not a manifest that this program knows.`,
    remedy: 'Use another backup; to make a new one, name an empty directory.',
  });
}

/** From here on the backup is what `manifest` says. */
export async function writeManifest(file: string, manifest: Manifest): Promise<void> {
  await writeFileDurably(file, `${JSON.stringify(manifest, null, 1)}\n`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
