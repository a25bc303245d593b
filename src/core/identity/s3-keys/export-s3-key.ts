/** A new S3 key as a file that a tool reads as it is; the names are those of its documentation. */

export const S3_KEY_FORMATS = ['json', 'env', 'agent', 'aws', 'rclone'] as const;
export type S3KeyFormat = (typeof S3_KEY_FORMATS)[number];

/** Where the gateway and the API are for whoever gets the file. */
export type S3Site = {
  readonly endpoint: string;
  readonly region: string;
  readonly apiUrl: string;
};

export type S3KeyFacts = {
  readonly accessKeyId: string;
  readonly secret: string;
  /** Where the tool should put its objects. */
  readonly bucket: string;
};

export type S3KeyFile = {
  readonly fileName: string;
  readonly contentType: string;
  readonly text: string;
};

const TEXT = 'text/plain; charset=utf-8';

/** Everything but JSON, which is each dialect's own document. */
export function exportS3Key(
  format: Exclude<S3KeyFormat, 'json'>,
  key: S3KeyFacts,
  site: S3Site,
): S3KeyFile {
  switch (format) {
    case 'env':
      return fileOf('pinfold-s3.env', envLines(key, site));
    case 'agent':
      return fileOf('pipe-agent-bundle.env', [
        `PIPE_API_BASE=${site.apiUrl}`,
        `PIPE_AWS_ACCESS_KEY_ID=${key.accessKeyId}`,
        `PIPE_AWS_SECRET_ACCESS_KEY=${key.secret}`,
        ...envLines(key, site),
      ]);
    case 'aws':
      return fileOf('credentials', [
        '[default]',
        `aws_access_key_id = ${key.accessKeyId}`,
        `aws_secret_access_key = ${key.secret}`,
        `region = ${site.region}`,
        `endpoint_url = ${site.endpoint}`,
      ]);
    case 'rclone':
      return fileOf('rclone.conf', [
        '[pipe]',
        'type = s3',
        'provider = Other',
        `endpoint = ${site.endpoint}`,
        `access_key_id = ${key.accessKeyId}`,
        `secret_access_key = ${key.secret}`,
        `region = ${site.region}`,
        'acl = private',
      ]);
  }
}

function envLines({ accessKeyId, secret, bucket }: S3KeyFacts, site: S3Site): readonly string[] {
  return [
    `AWS_ACCESS_KEY_ID=${accessKeyId}`,
    `AWS_SECRET_ACCESS_KEY=${secret}`,
    `AWS_DEFAULT_REGION=${site.region}`,
    `AWS_ENDPOINT_URL=${site.endpoint}`,
    `PIPE_S3_BUCKET=${bucket}`,
  ];
}

function fileOf(fileName: string, lines: readonly string[]): S3KeyFile {
  return { fileName, contentType: TEXT, text: `${lines.join('\n')}\n` };
}
