/**
 * Proves that forms which no page sends are refused with the contract's codes, quickly, with
 * nothing stored and nothing logged as a fault of ours.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Answer, openSocket, parseAnswer, provoke, readToEnd } from '../http-client.ts';
import {
  BOUNDARY,
  type Fields,
  FORM_TYPE,
  fileOf,
  formBody,
  type Part,
  partBytes,
  partsOf,
  post,
  signedFields,
} from './post-form.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');
const FILE = fileOf('hello');
const SIGNED = signedFields(ann, { key: 'hostile' });
const GOOD = [...partsOf(SIGNED), FILE];

async function assertRefused(parts: readonly Part[], code: string): Promise<Answer> {
  const answer = await post(s3, ann, formBody(parts));
  assertS3Error(answer, 400, code);
  return answer;
}

const refuseBody = async (body: Buffer, code = 'MalformedPOSTRequest') =>
  assertS3Error(await post(s3, ann, body), 400, code);

/** A part with a head of its own. */
const partOf = (head: string, value = 'v') =>
  Buffer.from(`--${BOUNDARY}\r\n${head}\r\n\r\n${value}\r\n`, 'latin1');

test('a body that is no form is refused by its type', async () => {
  const types = [
    '',
    'text/plain',
    'application/x-www-form-urlencoded',
    `multipart/mixed; boundary=${BOUNDARY}`,
    'multipart/form-datax',
  ];
  for (const type of types) {
    const answer = await post(s3, ann, formBody(GOOD), { 'content-type': type });
    assertS3Error(answer, 412, 'PreconditionFailed');
  }
  const untyped = await s3.call({ route: `POST /${ann.bucket}`, body: formBody(GOOD) });
  assertS3Error(untyped, 412, 'PreconditionFailed');
  const unbounded = [
    'multipart/form-data',
    'multipart/form-data;',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary="',
    `multipart/form-data; boundary=${'b'.repeat(71)}`,
    'multipart/form-data; boundary=a; boundary=b',
  ];
  for (const type of unbounded) {
    const answer = await post(s3, ann, formBody(GOOD), { 'content-type': type });
    assertS3Error(answer, 400, 'MalformedPOSTRequest');
  }
});

test('a form that is not whole stores nothing', async () => {
  const whole = formBody(GOOD);
  await refuseBody(Buffer.alloc(0));
  await refuseBody(Buffer.from('hello'));
  await refuseBody(Buffer.from('x'.repeat(100_000)));
  await refuseBody(Buffer.from(whole.toString('latin1').replaceAll(BOUNDARY, 'other'), 'latin1'));
  const fields = Buffer.concat(partsOf(SIGNED).map(partBytes));
  const file = partBytes(FILE);
  await refuseBody(Buffer.concat([fields, file]));
  await refuseBody(Buffer.concat([fields, file.subarray(0, -2)]));
  await refuseBody(Buffer.concat([fields, file, Buffer.from(`--${BOUNDARY}`)]));
  await refuseBody(Buffer.concat([fields, file, Buffer.from(`--${BOUNDARY}-`)]));
  await refuseBody(Buffer.concat([fields, file, Buffer.from(`--${BOUNDARY}\r\n`)]));
  await refuseBody(Buffer.concat([fields, file, Buffer.from(`--${BOUNDARY}junk\r\n`)]));
  await refuseBody(Buffer.concat([whole, Buffer.alloc(100_000)]));
});

test('a part whose head is damaged is refused', async () => {
  const disposition = 'Content-Disposition: form-data; name="a"';
  const heads = [
    'Content-Disposition: form-data',
    'Content-Disposition: form-data; name=""',
    'Content-Disposition: form-data; filename="a"',
    'Content-Disposition: form-data; name="a"; name="b"',
    'Content-Disposition: attachment; name="a"',
    'Content-Disposition: form-data; name="a',
    'Content-Disposition: form-data; name="\xff"',
    'Content-Type: text/plain',
    `${disposition}\r\n${disposition}`,
    `${disposition}\r\nno colon`,
    `${disposition}\r\n folded: line`,
    `${disposition}\r\nContent-Transfer-Encoding: base64`,
    `${disposition}\r\nX-Long: ${'x'.repeat(9000)}`,
    `${disposition}\nX: lone line feed`,
  ];
  for (const head of heads) await refuseBody(Buffer.concat([partOf(head), formBody(GOOD)]));
  await refuseBody(Buffer.concat([partOf(`X: ${'x'.repeat(200_000)}`), formBody(GOOD)]));
});

test('fields are few, small and each there once', async () => {
  const many = Array.from({ length: 10_000 }, (_, at) => ({ name: `x-ignore-${at}`, value: 'v' }));
  await assertRefused([...many, ...GOOD], 'MaxMessageLengthExceeded');
  await assertRefused([...GOOD, ...many], 'MaxMessageLengthExceeded');
  const huge = 'v'.repeat(20 * 1024);
  await assertRefused([{ name: 'x-ignore-a', value: huge }, ...GOOD], 'MaxMessageLengthExceeded');
  await assertRefused(
    [{ name: 'x-ignore-a', value: Buffer.alloc(10_000_000) }, ...GOOD],
    'MaxMessageLengthExceeded',
  );
  const together = Array.from({ length: 5 }, (_, at) => ({
    name: `x-ignore-${at}`,
    value: 'v'.repeat(5000),
  }));
  await assertRefused([...together, ...GOOD], 'MaxMessageLengthExceeded');
  const policy = { name: 'policy', value: 'p'.repeat(64 * 1024) };
  await assertRefused([policy, FILE], 'MaxMessageLengthExceeded');
  await assertRefused([{ name: 'KEY', value: 'hostile' }, ...GOOD], 'InvalidArgument');
  const notText = { name: 'x-ignore-a', value: Buffer.from([0xff]) };
  await assertRefused([notText, ...GOOD], 'InvalidArgument');
  const dropped = { name: 'later', value: Buffer.alloc(2_000_000) };
  await assertRefused([...GOOD, dropped], 'MaxMessageLengthExceeded');
});

test('a form has one file, and its fields before it', async () => {
  const none = await assertRefused(partsOf(SIGNED), 'InvalidArgument');
  assert.match(none.text, /<ArgumentName>file<\/ArgumentName><ArgumentValue>0</);
  const two = await assertRefused([...GOOD, fileOf('again')], 'InvalidArgument');
  assert.match(two.text, /POST requires exactly one file upload per request/);
  const { key, ...rest } = SIGNED as Fields & { readonly key: string };
  await assertRefused([...partsOf(rest), FILE, { name: 'key', value: key }], 'InvalidArgument');
  const first = await post(s3, ann, formBody([FILE, ...partsOf(SIGNED)]));
  assertS3Error(first, 403, 'AccessDenied');
});

test('a sender that leaves in the middle leaves nothing behind', async () => {
  const body = formBody([...partsOf(SIGNED), fileOf('x'.repeat(100_000))]).toString('latin1');
  const head = `POST /${ann.bucket} HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n`;
  for (const length of [0, 10, 700, 50_000, body.length - 3]) {
    const socket = await openSocket(s3.endpoint);
    socket.write(Buffer.from(head + body.slice(0, length), 'latin1'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    socket.destroy();
  }
  for (const length of [10, 700, 50_000]) {
    const socket = await openSocket(s3.endpoint);
    const reading = readToEnd(socket);
    socket.end(Buffer.from(head + body.slice(0, length), 'latin1'));
    assert.doesNotMatch(await reading, /^HTTP\/1\.1 [25]/);
  }
});

test('a connection is used again after a refused form', async () => {
  const form = (parts: readonly Part[]) => {
    const body = formBody(parts).toString('latin1');
    return `POST /${ann.bucket} HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  };
  const bad = [
    { name: 'x', value: 'y' },
    { ...FILE, value: 'x'.repeat(300_000) },
  ];
  const text = await provoke(s3.endpoint, form(bad) + form([...partsOf(SIGNED)]));
  assertS3Error(parseAnswer(text.slice(0, text.lastIndexOf('HTTP/1.1'))), 403, 'AccessDenied');
  assertS3Error(parseAnswer(text.slice(text.lastIndexOf('HTTP/1.1'))), 400, 'InvalidArgument');
});

test('after all of them nothing is stored, and nothing was a fault of ours', async () => {
  const { text } = await ann.raw.expectDone({ method: 'GET', bucket: ann.bucket });
  assert(!text.includes('<Contents>'), text);
  assert.deepEqual(
    s3.lines.filter((line) => /request failed|"status":5/.test(line)),
    [],
  );
});
