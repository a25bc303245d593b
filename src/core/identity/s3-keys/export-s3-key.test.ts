/** Proves that exported keys are the files that the documentation of the tools shows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportS3Key } from './export-s3-key.ts';

const KEY = { accessKeyId: 'AKID', secret: 'SECRET', bucket: 'bucket' };
const SITE = {
  endpoint: 'https://s3.example.org',
  region: 'auto',
  apiUrl: 'https://api.example.org',
};

const ENV = `AWS_ACCESS_KEY_ID=AKID
AWS_SECRET_ACCESS_KEY=SECRET
AWS_DEFAULT_REGION=auto
AWS_ENDPOINT_URL=https://s3.example.org
PIPE_S3_BUCKET=bucket
`;

const FILES = {
  env: ENV,
  agent: `PIPE_API_BASE=https://api.example.org
PIPE_AWS_ACCESS_KEY_ID=AKID
PIPE_AWS_SECRET_ACCESS_KEY=SECRET
${ENV}`,
  aws: `[default]
aws_access_key_id = AKID
aws_secret_access_key = SECRET
region = auto
endpoint_url = https://s3.example.org
`,
  rclone: `[pipe]
type = s3
provider = Other
endpoint = https://s3.example.org
access_key_id = AKID
secret_access_key = SECRET
region = auto
acl = private
`,
} as const;

for (const [format, text] of Object.entries(FILES)) {
  test(`the ${format} file is what its tool reads`, () => {
    assert.equal(exportS3Key(format as keyof typeof FILES, KEY, SITE).text, text);
  });
}

test('an agent gets the file under the name that it looks for', () => {
  assert.equal(exportS3Key('agent', KEY, SITE).fileName, 'pipe-agent-bundle.env');
});
