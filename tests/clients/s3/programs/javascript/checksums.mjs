// Each checksum of the AWS SDK for JavaScript v3: sent by a client that was given the code of those
// of 2026, and read by the default client, which has none for most of them. Answers one line of JSON.

import { createHash } from 'node:crypto';
import { Xxh3_64Js, Xxh3_128Js, Xxh64Js } from '@aws-sdk/checksums/xxh';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

const Bucket = process.env.PIPE_S3_BUCKET;
const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256', 'MD5'];
/** As the SDK wants one, by Node's own code. */
class Sha512Node {
  #hash = createHash('sha512');
  update(chunk) {
    this.#hash.update(chunk);
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
  reset() {
    this.#hash = createHash('sha512');
  }
}
const GIVEN = { SHA512: Sha512Node, XXHASH64: Xxh64Js, XXHASH3: Xxh3_64Js, XXHASH128: Xxh3_128Js };

const plain = { endpoint: process.env.AWS_ENDPOINT_URL, forcePathStyle: true, maxAttempts: 1 };
const reader = new S3Client(plain);
const writer = new S3Client({ ...plain, checksumAlgorithms: GIVEN });

async function read(client, Key, more = {}) {
  const answer = await client.send(
    new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED', ...more }),
  );
  const text = await answer.Body.transformToString();
  const members = Object.entries(answer).filter(([name]) => name.startsWith('Checksum'));
  return { text: text.slice(-11), ...Object.fromEntries(members) };
}

async function put(ChecksumAlgorithm) {
  const Key = `put ${ChecksumAlgorithm}`;
  await writer.send(new PutObjectCommand({ Bucket, Key, Body: 'hello world', ChecksumAlgorithm }));
  await read(writer, Key);
  return await read(reader, Key);
}

async function parts(ChecksumAlgorithm) {
  const names = { Bucket, Key: `parts ${ChecksumAlgorithm}` };
  const { UploadId } = await writer.send(
    new CreateMultipartUploadCommand({ ...names, ChecksumAlgorithm }),
  );
  const Parts = [];
  for (const [index, Body] of [Buffer.alloc(5 * 1024 * 1024, 'a'), 'hello world'].entries()) {
    const part = { PartNumber: index + 1, Body, ChecksumAlgorithm };
    const { ETag, [`Checksum${ChecksumAlgorithm}`]: sum } = await writer.send(
      new UploadPartCommand({ ...names, UploadId, ...part }),
    );
    Parts.push({ PartNumber: index + 1, ETag, [`Checksum${ChecksumAlgorithm}`]: sum });
  }
  const MultipartUpload = { Parts };
  await writer.send(new CompleteMultipartUploadCommand({ ...names, UploadId, MultipartUpload }));
  const part = await read(reader, names.Key, { PartNumber: 2 });
  return { whole: await read(reader, names.Key), part };
}

const said = { put: {}, parts: {} };
for (const name of [...ALGORITHMS, ...Object.keys(GIVEN)]) said.put[name] = await put(name);
for (const name of ['SHA512', 'XXHASH128', 'MD5']) said.parts[name] = await parts(name);
process.stdout.write(JSON.stringify(said));
