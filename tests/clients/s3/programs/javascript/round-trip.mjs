// What a user does with the AWS SDK for JavaScript v3, a step a line: see program-tool.ts for what
// is asked and answered.
import { createReadStream, createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

const ANSWERS = new Set(['listBuckets', 'list', 'presign', 'presignPut']);
const DELETED_AT_ONCE_MAX = 1000;
const STREAMS_FROM_BYTES = 64 * 1024;
const PARTS_FROM_BYTES = 8 * 1024 * 1024;

const s3 = new S3Client({
  endpoint: process.env.AWS_ENDPOINT_URL,
  region: process.env.AWS_REGION,
  credentials: {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID,
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
  },
  forcePathStyle: true,
  maxAttempts: 1,
});

const steps = {
  makeBucket: ({ bucket }) => s3.send(new CreateBucketCommand({ Bucket: bucket })),

  async listBuckets() {
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    return Buckets.map(({ Name }) => Name);
  },

  removeBucket: ({ bucket }) => s3.send(new DeleteBucketCommand({ Bucket: bucket })),

  async put({ bucket, key, file }) {
    const { size } = await stat(file);
    const object = { Bucket: bucket, Key: key };
    if (size < STREAMS_FROM_BYTES) {
      return await s3.send(new PutObjectCommand({ ...object, Body: readFileSync(file) }));
    }
    const params = { ...object, Body: createReadStream(file) };
    if (size > PARTS_FROM_BYTES) return await new Upload({ client: s3, params }).done();
    // A stream whose length is known goes out in chunks, with its checksum behind it.
    return await s3.send(new PutObjectCommand({ ...params, ContentLength: size }));
  },

  async get({ bucket, key, file }) {
    const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    writeFileSync(file, await answer.Body.transformToByteArray());
  },

  getRange: ({ bucket, key, file, first, last }) =>
    download({ Bucket: bucket, Key: key, Range: `bytes=${first}-${last}` }, file),

  copy: ({ bucket, from, to }) =>
    s3.send(
      new CopyObjectCommand({
        Bucket: bucket,
        Key: to,
        CopySource: `${bucket}/${encodeURIComponent(from)}`,
      }),
    ),

  async list({ bucket, prefix, delimiter }) {
    const keys = [];
    const prefixes = [];
    // Keys may hold what XML cannot, so they are asked for in their encoded form.
    const asked = { Bucket: bucket, Prefix: prefix, Delimiter: delimiter, EncodingType: 'url' };
    for await (const page of paginateListObjectsV2({ client: s3 }, asked)) {
      keys.push(...(page.Contents ?? []).map(({ Key }) => decode(Key)));
      prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => decode(Prefix)));
    }
    return { keys, prefixes };
  },

  async putChecked({ bucket, key, file, algorithm }) {
    const { size } = await stat(file);
    const object = { Bucket: bucket, Key: key };
    const sent = await s3.send(
      new PutObjectCommand({
        ...object,
        Body: createReadStream(file),
        ContentLength: size,
        ChecksumAlgorithm: algorithm,
      }),
    );
    const name = `Checksum${algorithm}`;
    const kept = await download({ ...object, ChecksumMode: 'ENABLED' }, file);
    if (sent[name] === undefined || sent[name] !== kept[name]) {
      throw new Error(`${name}: sent ${sent[name]}, kept ${kept[name]}`);
    }
  },

  presign: ({ bucket, key }) =>
    getSignedUrl(s3, new GetObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: 300 }),

  presignPut: ({ bucket, key }) =>
    getSignedUrl(s3, new PutObjectCommand({ Bucket: bucket, Key: key }), { expiresIn: 300 }),

  async deleteKeys({ bucket, keys }) {
    for (let at = 0; at < keys.length; at += DELETED_AT_ONCE_MAX) {
      const objects = keys.slice(at, at + DELETED_AT_ONCE_MAX).map((key) => ({ Key: key }));
      const answer = await s3.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: objects } }),
      );
      if (answer.Errors !== undefined) throw new Error(JSON.stringify(answer.Errors));
    }
  },
};

async function download(asked, file) {
  const answer = await s3.send(new GetObjectCommand(asked));
  await pipeline(answer.Body, createWriteStream(file));
  return answer;
}

function decode(text) {
  return decodeURIComponent(text.replaceAll('+', ' '));
}

for await (const line of createInterface({ input: process.stdin })) {
  const { step, ...input } = JSON.parse(line);
  try {
    const done = await steps[step](input);
    const isAnswer = ANSWERS.has(step);
    process.stdout.write(`${JSON.stringify({ done: isAnswer ? done : null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`);
  }
}
