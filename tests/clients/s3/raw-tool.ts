/** The round trip's steps as signed requests of our own: what a tool cannot express is done so. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checksumOf } from '../../../src/kit/checksums/open-checksum.ts';
import { encodePath } from '../../../src/kit/sigv4/percent.ts';
import type { RawS3 } from './raw-s3.ts';
import type { Listing, S3Steps } from './s3-tool.ts';
import { syncByObjects } from './sync-by-objects.ts';
import { elementsOf, textsOf } from './xml-texts.ts';

const PART_BYTES = 8 * 1024 * 1024;
const DELETED_AT_ONCE_MAX = 1000;

export function rawSteps(raw: RawS3): S3Steps {
  const steps: Omit<S3Steps, 'syncUp' | 'syncDown'> = {
    makeBucket: async ({ bucket }) => void (await raw.expectDone({ method: 'PUT', bucket })),
    removeBucket: async ({ bucket }) => void (await raw.expectDone({ method: 'DELETE', bucket })),
    listBuckets: async () => {
      const { text } = await raw.expectDone({ method: 'GET' });
      return elementsOf(text, 'Bucket').flatMap((bucket) => textsOf(bucket, 'Name'));
    },
    put: async ({ file, ...object }) => {
      const bytes = await readFile(file);
      if (bytes.length > PART_BYTES) return await putParts(raw, { ...object, bytes });
      await raw.expectDone({ method: 'PUT', ...object, body: bytes });
    },
    get: async ({ file, ...object }) => {
      const { bytes } = await raw.expectDone({ method: 'GET', ...object });
      await save(file, bytes);
    },
    getRange: async ({ file, first, last, ...object }) => {
      const headers = { range: `bytes=${first}-${last}` };
      const { bytes, status } = await raw.expectDone({ method: 'GET', ...object, headers });
      assert.equal(status, 206);
      await save(file, bytes);
    },
    copy: async ({ bucket, from, to }) => {
      const headers = { 'x-amz-copy-source': `/${bucket}/${encodePath(from)}` };
      await raw.expectDone({ method: 'PUT', bucket, key: to, headers });
    },
    list: (input) => listAll(raw, input),
    putChecked: async ({ file, algorithm, ...object }) => {
      const bytes = await readFile(file);
      const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
      const value = Buffer.from(checksumOf(algorithm, bytes)).toString('base64');
      await raw.expectDone({ method: 'PUT', ...object, body: bytes, headers: { [name]: value } });
      const headers = { 'x-amz-checksum-mode': 'ENABLED' };
      const kept = await raw.expectDone({ method: 'GET', ...object, headers });
      assert.equal(kept.headers[name], value);
      await save(file, kept.bytes);
    },
    presign: async (object) => raw.presign({ method: 'GET', ...object }),
    deleteKeys: async ({ bucket, keys }) => {
      for (let at = 0; at < keys.length; at += DELETED_AT_ONCE_MAX) {
        await deletePage(raw, { bucket, keys: keys.slice(at, at + DELETED_AT_ONCE_MAX) });
      }
    },
  };
  return { ...steps, ...syncByObjects(steps) };
}

async function putParts(
  raw: RawS3,
  { bytes, ...object }: { bucket: string; key: string; bytes: Buffer },
): Promise<void> {
  const begun = await raw.expectDone({ method: 'POST', ...object, query: [['uploads', '']] });
  const [uploadId = ''] = textsOf(begun.text, 'UploadId');
  const listed: string[] = [];
  for (let at = 0; at < bytes.length; at += PART_BYTES) {
    const number = listed.length + 1;
    const { headers } = await raw.expectDone({
      method: 'PUT',
      ...object,
      query: [
        ['partNumber', String(number)],
        ['uploadId', uploadId],
      ],
      body: bytes.subarray(at, at + PART_BYTES),
    });
    listed.push(`<Part><PartNumber>${number}</PartNumber><ETag>${headers.etag}</ETag></Part>`);
  }
  await raw.expectDone({
    method: 'POST',
    ...object,
    query: [['uploadId', uploadId]],
    body: `<CompleteMultipartUpload>${listed.join('')}</CompleteMultipartUpload>`,
  });
}

async function listAll(
  raw: RawS3,
  { bucket, prefix, delimiter }: { bucket: string; prefix: string; delimiter?: string },
): Promise<Listing> {
  const keys: string[] = [];
  const prefixes: string[] = [];
  let token: string | undefined;
  do {
    const query: (readonly [string, string])[] = [
      ['list-type', '2'],
      ['encoding-type', 'url'],
      ['prefix', prefix],
    ];
    if (delimiter !== undefined) query.push(['delimiter', delimiter]);
    if (token !== undefined) query.push(['continuation-token', token]);
    const { text } = await raw.expectDone({ method: 'GET', bucket, query });
    const decoded = (outer: string, inner: string) =>
      elementsOf(text, outer)
        .flatMap((element) => textsOf(element, inner))
        // Some servers write a space as a plus, none writes a plus so.
        .map((key) => decodeURIComponent(key.replaceAll('+', ' ')));
    keys.push(...decoded('Contents', 'Key'));
    prefixes.push(...decoded('CommonPrefixes', 'Prefix'));
    token = textsOf(text, 'NextContinuationToken')[0];
  } while (token !== undefined);
  return { keys, prefixes };
}

async function deletePage(
  raw: RawS3,
  { bucket, keys }: { bucket: string; keys: readonly string[] },
): Promise<void> {
  const objects = keys.map((key) => `<Object><Key>${escapeXml(key)}</Key></Object>`);
  const body = `<Delete><Quiet>true</Quiet>${objects.join('')}</Delete>`;
  const query = [['delete', '']] as const;
  const headers = { 'x-amz-checksum-sha256': sha256(body) };
  const { text } = await raw.expectDone({ method: 'POST', bucket, query, headers, body });
  assert.deepEqual(elementsOf(text, 'Error'), []);
}

function escapeXml(text: string): string {
  return text.replaceAll(/[^ -~]|[<>&"']/gu, (letter) => `&#${letter.codePointAt(0)};`);
}

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('base64');
}

async function save(file: string, bytes: Buffer): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, bytes);
}
