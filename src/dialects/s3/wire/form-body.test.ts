/** Proves that the file of a form waits until it is asked for, and that a refusal lets go of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ByteSink } from '../../../core/ports/blob-store.ts';
import type { ByteSource } from '../../../core/ports/byte-source.ts';
import { receiveForm } from './form-body.ts';
import { S3Refusal } from './s3-refusal.ts';

const ROOMY = { take: () => true };

const part = (name: string, value: string) =>
  `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

/** Sends `pieces` one after another, each when the one before was taken. */
function sourceOf(pieces: readonly string[]) {
  const state = { sent: 0, end: 'open' };
  const pipe = async (sink: ByteSink) => {
    for (const piece of pieces) {
      state.sent++;
      await sink(Buffer.from(piece));
    }
  };
  const source: ByteSource = {
    declaredBytes: undefined,
    pipeTo: (sink) =>
      pipe(sink).then(
        () => {
          state.end = 'whole';
        },
        (error: unknown) => {
          state.end = 'let go';
          throw error;
        },
      ),
  };
  return { source, state };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const PIECES = [part('a', '1'), `${part('file', 'xyz').slice(0, -2)}`, 'more\r\n', '--b--'];

test('the bytes of the file come when they are asked for, each piece after the other', async () => {
  const { source, state } = sourceOf(PIECES);
  let most = 0;
  let taking = 0;
  const text = await receiveForm(
    { body: source, boundary: 'b', share: ROOMY },
    async ({ fields, file }) => {
      await settled();
      assert.deepEqual([...fields], [['a', '1']]);
      assert.equal(state.sent, 2, 'the piece with the file was taken, and none after it');
      let taken = '';
      await file.pipeTo(async (chunk) => {
        taking++;
        most = Math.max(most, taking);
        taken += Buffer.from(chunk).toString();
        await settled();
        taking--;
      });
      return taken;
    },
  );
  assert.equal(text, 'xyzmore');
  assert.equal(most, 1);
  assert.deepEqual(state, { sent: 4, end: 'whole' });
});

test('a form that is refused before its file lets go of the body', async () => {
  const { source, state } = sourceOf(PIECES);
  const refused = receiveForm({ body: source, boundary: 'b', share: ROOMY }, async () => {
    throw new S3Refusal('AccessDenied');
  });
  await assert.rejects(refused, { name: 'S3Refusal', code: 'AccessDenied' });
  await settled();
  assert.deepEqual(state, { sent: 2, end: 'let go' });
});

test('what the taker of the bytes throws is what the form fails with', async () => {
  const { source, state } = sourceOf(PIECES);
  const failure = new Error('the disk is full');
  const failed = receiveForm({ body: source, boundary: 'b', share: ROOMY }, async ({ file }) => {
    await file.pipeTo(() => {
      throw failure;
    });
  });
  await assert.rejects(failed, failure);
  assert.equal(state.end, 'let go');
});

test('a form whose end is missing fails, though all of its file was taken', async () => {
  const { source } = sourceOf(PIECES.slice(0, -1));
  const failed = receiveForm({ body: source, boundary: 'b', share: ROOMY }, ({ file }) =>
    file.pipeTo(() => undefined),
  );
  await assert.rejects(failed, { name: 'S3Refusal', code: 'MalformedPOSTRequest' });
});
