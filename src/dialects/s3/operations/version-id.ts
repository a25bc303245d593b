import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';

/**
 * Without versioning each object is its version `null`. Throws `InvalidArgument` for what no
 * version could be called, `NoSuchVersion` for any other.
 */
export function requireNullVersion(query: ReadonlyMap<string, string>): void {
  const text = query.get('versionId');
  if (text === undefined) return;
  const problem = versionProblem(text);
  if (problem !== undefined) throw problem;
}

/** Why `text` names no version; `undefined` for the one there is. */
export function versionProblem(text: string): S3Refusal | undefined {
  if (text === 'null') return undefined;
  if (!/^[A-Za-z0-9._-]{1,1024}$/.test(text)) {
    return invalidArgument('Invalid version id specified', 'versionId', text);
  }
  return new S3Refusal('NoSuchVersion', undefined, { VersionId: text });
}
