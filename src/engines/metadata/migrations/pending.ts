import type { Migration } from './migration.ts';

/**
 * The migrations above `version`. Throws, in words for the operator, when the schema is newer than
 * any that this program knows: an older program must not write to it.
 */
export function pendingMigrations(
  migrations: readonly Migration[],
  version: number,
): readonly Migration[] {
  const newest = migrations.at(-1)?.version ?? 0;
  if (version > newest) {
    throw new Error(
      `The metadata has schema ${version}, this program knows up to ${newest}: ` +
        'run the version of Pinfold that wrote it, or a later one.',
    );
  }
  return migrations.filter((migration) => migration.version > version);
}
