/** `pinfold keys …`: S3 keys of accounts, as files that tools read. */
import { exportS3Key, type S3KeyFormat } from '../../core/identity/s3-keys/export-s3-key.ts';
import type { CreatedS3KeyDocument, S3KeyListDocument } from '../../dialects/admin/documents.ts';
import { type AnswerOptions, answer, columnsText } from '../answer.ts';
import type { CliWorld } from '../cli-world.ts';
import { withAdministration } from '../open-administration.ts';

/** The secret goes to where results go and nowhere else. */
export async function createKey(
  world: CliWorld,
  input: {
    readonly account: string;
    readonly format: S3KeyFormat;
    readonly limits: {
      readonly name?: string;
      readonly readOnly?: boolean;
      readonly bucket?: string;
      readonly prefix?: string;
    };
  },
  options: AnswerOptions,
): Promise<void> {
  const { account, format, limits } = input;
  const { name = null, readOnly = false, bucket = null, prefix = null } = limits;
  const document = await withAdministration(world, (admin) =>
    admin.createS3Key(account, { name, read_only: readOnly, bucket, prefix }),
  );
  if (options.json || format === 'json') {
    answer(world.terminal, { document, text: '' }, { json: true });
  } else {
    world.terminal.writeResult(fileText(format, document));
  }
  if (options.json) return;
  world.terminal.writeNote(
    `The key ${document.access_key_id}${reachText(document)} is shown this once.\n`,
  );
}

export async function listKeys(
  world: CliWorld,
  account: string,
  options: AnswerOptions,
): Promise<void> {
  const document = await withAdministration(world, (admin) => admin.listS3Keys(account));
  answer(world.terminal, { document, text: listText(document) }, options);
}

export async function revokeKey(
  world: CliWorld,
  accessKeyId: string,
  options: AnswerOptions,
): Promise<void> {
  const document = await withAdministration(world, (admin) => admin.revokeS3Key(accessKeyId));
  answer(world.terminal, { document, text: `${document.access_key_id} is revoked.` }, options);
}

function fileText(format: Exclude<S3KeyFormat, 'json'>, document: CreatedS3KeyDocument): string {
  const { access_key_id: accessKeyId, secret, endpoint, region, api_url: apiUrl } = document;
  const bucket = document.bucket ?? document.default_bucket;
  return exportS3Key(format, { accessKeyId, secret, bucket }, { endpoint, region, apiUrl }).text;
}

type Reach = Pick<CreatedS3KeyDocument, 'read_only' | 'bucket' | 'prefix'>;

function reachText({ read_only: isReadOnly, bucket, prefix }: Reach): string {
  const limits = [
    ...(isReadOnly ? ['read-only'] : []),
    ...(bucket === null ? [] : [`bucket ${bucket}`]),
    ...(prefix === null ? [] : [`prefix ${prefix}`]),
  ];
  return limits.length === 0 ? '' : ` (${limits.join(', ')})`;
}

function listText({ keys }: S3KeyListDocument): string {
  const rows = keys.map((key) => [
    key.access_key_id,
    key.name ?? '-',
    key.read_only ? 'read-only' : 'read-write',
    key.bucket === null ? '-' : `${key.bucket}/${key.prefix ?? ''}`,
    key.created_at,
    key.last_used_at ?? '-',
    key.revoked_at === null ? 'live' : `revoked ${key.revoked_at}`,
  ]);
  return columnsText([
    ['ACCESS KEY ID', 'NAME', 'RIGHTS', 'LIMITED TO', 'CREATED', 'LAST USED', 'STATE'],
    ...rows,
  ]);
}
