/**
 * Proves that large bodies in chunks of any size arrive whole: each piece waits for the one before
 * it, however many of them one read of the socket brings.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { patternBytes } from '../../../src/core/ports/blob-store-contract.ts';
import { encodeAwsChunked } from '../../world/aws-chunked-body.ts';
import { startS3 } from './start-s3.ts';
import { deliver, signed, withBody } from './wire-request.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');
const BODY = patternBytes(8 * 1024 * 1024 + 17, 3);
const ETAG = `"${createHash('md5').update(BODY).digest('hex')}"`;
const FORMS = ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'];

for (const chunkBytes of [8192, 65_536, 1024 * 1024, BODY.length]) {
  for (const form of FORMS) {
    test(`8 MiB in chunks of ${chunkBytes} bytes, ${form}`, { timeout: 60_000 }, async () => {
      const chunks = Array.from({ length: Math.ceil(BODY.length / chunkBytes) }, (_, at) =>
        BODY.subarray(at * chunkBytes, (at + 1) * chunkBytes),
      );
      const message = signed(ann, {
        route: `PUT /${ann.bucket}/large`,
        payloadHash: form,
        headers: [['x-amz-decoded-content-length', `${BODY.length}`]],
      });
      const signatures = form.includes('UNSIGNED') ? undefined : message.chain;
      const body = encodeAwsChunked({ chunks, signatures, trailers: [] });
      const answer = await deliver(s3.endpoint, withBody(message, body));
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.headers.etag, ETAG);
    });
  }
}
