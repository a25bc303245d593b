/**
 * Proves that what is signed is what the specification says, by canonical requests written by hand,
 * and that a change of one byte of any signed part is refused and stores nothing.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { textsOf } from '../../clients/s3/xml-texts.ts';
import type { Answer } from '../http-client.ts';
import { objectCalls } from './object-calls.ts';
import { startS3 } from './start-s3.ts';
import {
  deliver,
  factOf,
  type Header,
  HOST,
  headerOf,
  keysOf,
  type Message,
  signed,
  signedByHand,
} from './wire-request.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');
const { bucket } = ann;
const send = (message: Message) => deliver(s3.endpoint, message);
const EMPTY = hash('sha256', '', 'hex');

/** Headers in the order of the wire, and what of them stands in the canonical request. */
type Written = {
  readonly target: string;
  readonly path?: string;
  readonly query?: string;
  readonly sent?: readonly Header[];
  readonly lines?: readonly string[];
};

/** A GET of the bucket whose canonical form is written by hand. */
function written({ target, path = `/${bucket}`, query = '', sent = [], lines = [] }: Written) {
  const fields = [...lines, `host:${HOST}`, `x-amz-content-sha256:${EMPTY}`].sort();
  const names = [...new Set(fields.map((line) => line.split(':', 1)[0]))].join(';');
  return signedByHand(ann, {
    route: `GET ${target}`,
    headers: [...sent, ['x-amz-content-sha256', EMPTY], ['date', new Date().toUTCString()]],
    canonical: ['GET', path, query, ...fields, '', names, EMPTY],
  });
}

/** Whatever is there or not: it was believed. */
async function believes(form: Written): Promise<void> {
  const { status, text } = await send(written(form));
  assert([200, 404].includes(status), `${JSON.stringify(form)} ${status} ${text}`);
}

test('a path is signed decoded and encoded anew, and nothing of it is normalised', async () => {
  const forms: readonly (readonly [sent: string, canonical: string])[] = [
    ['a/b', 'a/b'],
    ['%61%2Fb', 'a/b'],
    ['%61%2fb', 'a/b'],
    ['a%20b', 'a%20b'],
    ['a+b', 'a%2Bb'],
    ['a%2bb', 'a%2Bb'],
    ["(a)!*'b", '%28a%29%21%2A%27b'],
    ['%7Ea~b', '~a~b'],
    ['a%25b', 'a%25b'],
    ['a%2525b', 'a%2525b'],
    ['%C3%A9', '%C3%A9'],
    ['%c3%a9', '%C3%A9'],
    ['%F0%9F%90%88', '%F0%9F%90%88'],
    ['a//b', 'a//b'],
    ['/a', '/a'],
    ['./a/../b', './a/../b'],
    ['..', '..'],
    ['a/', 'a/'],
    ['a=b&c;d:e@f,g$h', 'a%3Db%26c%3Bd%3Ae%40f%2Cg%24h'],
  ];
  for (const [sent, canonical] of forms) {
    await believes({ target: `/${bucket}/${sent}`, path: `/${bucket}/${canonical}` });
  }
});

test('a query is signed decoded, encoded anew and in the order of its encoded bytes', async () => {
  const forms: readonly (readonly [sent: string, canonical: string])[] = [
    ['prefix', 'prefix='],
    ['prefix=', 'prefix='],
    ['prefix=a%20b', 'prefix=a%20b'],
    ['prefix=a+b', 'prefix=a%20b'],
    ['prefix=a%2Bb', 'prefix=a%2Bb'],
    ['prefix=a/b', 'prefix=a%2Fb'],
    ['prefix=a=b', 'prefix=a%3Db'],
    ['prefix=%c3%a9', 'prefix=%C3%A9'],
    ['prefix=~-._', 'prefix=~-._'],
    ['prefix=b&marker=a', 'marker=a&prefix=b'],
    ['b=1&a=2&B=3&%41=4', 'A=4&B=3&a=2&b=1'],
    ['a=2&a=1&a=', 'a=&a=1&a=2'],
    ['a-b=1&a=2', 'a=2&a-b=1'],
    ['x-id=GetObject&metadata=true', 'metadata=true&x-id=GetObject'],
    ['a=1&&b=2&', 'a=1&b=2'],
    ['X-Amz-Expires=1&prefix=a', 'X-Amz-Expires=1&prefix=a'],
  ];
  for (const [sent, query] of forms) await believes({ target: `/${bucket}?${sent}`, query });
});

test('a plus in a query means a space, however the client spells what it signed', async () => {
  const calls = objectCalls(ann);
  await calls.put('plus in/1');
  await calls.put('plus+in/2');
  for (const [sent, canonical, key] of [
    ['plus+in/', 'plus%20in%2F', 'plus in/1'],
    ['plus%20in/', 'plus%20in%2F', 'plus in/1'],
    ['plus%2bin/', 'plus%2Bin%2F', 'plus+in/2'],
  ]) {
    const form = { target: `/${bucket}?prefix=${sent}`, query: `prefix=${canonical}` };
    const { text } = await send(written(form));
    assert.deepEqual(textsOf(text, 'Key'), [key], text);
  }
  for (const key of ['plus in/1', 'plus+in/2']) await calls.done('DELETE', key);
});

test('headers are signed without the space around and runs of it inside', async () => {
  const forms: readonly (readonly [sent: readonly Header[], lines: readonly string[]])[] = [
    [[['x-amz-meta-a', '  b  ']], ['x-amz-meta-a:b']],
    [[['x-amz-meta-a', 'b   c']], ['x-amz-meta-a:b c']],
    [[['x-amz-meta-a', 'b \t c\td']], ['x-amz-meta-a:b c d']],
    [[['x-amz-meta-a', '"b   c"']], ['x-amz-meta-a:"b c"']],
    [[['X-AMZ-Meta-A', 'B']], ['x-amz-meta-a:B']],
    [[['x-amz-meta-a', '']], ['x-amz-meta-a:']],
    [[['x-amz-meta-a', 'b, c']], ['x-amz-meta-a:b, c']],
  ];
  for (const [sent, lines] of forms) await believes({ target: `/${bucket}`, sent, lines });
});

test('headers that come in many lines are signed joined by commas, in their order', async () => {
  const twice: readonly Header[] = [
    ['x-amz-meta-a', 'z'],
    ['x-amz-meta-b', 'between'],
    ['X-Amz-Meta-A', '  b '],
  ];
  const lines = ['x-amz-meta-a:z,b', 'x-amz-meta-b:between'];
  await believes({ target: `/${bucket}`, sent: twice, lines });
  for (const name of ['range', 'user-agent', 'content-type', 'if-match', 'cookie', 'expires']) {
    // Node drops or joins some of these in its own way.
    const sent: readonly Header[] = [
      [name, '1'],
      [name, '2'],
    ];
    await believes({ target: `/${bucket}`, sent, lines: [`${name}:1,2`] });
  }
});

test('the bytes of a header are signed as they are, whatever letters they make', async () => {
  for (const value of ['\u00c3\u00a9', '\u00e9', '\u00a0', '\u0080\u00ff']) {
    const sent = [['x-amz-meta-a', value]] as const;
    await believes({ target: `/${bucket}`, sent, lines: [`x-amz-meta-a:${value}`] });
  }
});

const TARGET = `/${bucket}/folder/key?x-id=PutObject&tail=one`;

/** A put that signs something of each kind. */
const good = () =>
  signed(ann, {
    route: `PUT ${TARGET}`,
    headers: [
      ['content-type', 'text/plain; charset=utf-8'],
      ['x-amz-meta-colour', 'deep blue'],
      ['x-amz-storage-class', 'STANDARD'],
    ],
    body: 'hello',
  });

/** The text with another byte at `at`. */
function mutated(text: string, at: number): string {
  const other = String.fromCharCode(text.charCodeAt(at) ^ 1);
  return text.slice(0, at) + other + text.slice(at + 1);
}

const positions = (text: string) => Array.from({ length: text.length }, (_, at) => at);

function headerMutants(name: string): readonly Message[] {
  const message = good();
  const value = headerOf(message, name);
  return positions(value).map((at) => ({
    ...message,
    headers: message.headers.map(([one, old]) =>
      one.toLowerCase() === name ? [one, mutated(old, at)] : [one, old],
    ),
  }));
}

async function refuseAll(
  mutants: readonly Message[],
  codes: Readonly<Record<string, number>>,
): Promise<void> {
  for (const mutant of mutants) {
    const answer = await send(mutant);
    const code = factOf(answer, 'Code') ?? '';
    const line = `${mutant.method} ${mutant.target} ${mutant.headers.join('|')}`;
    assert.equal(answer.status, codes[code], `${line}: ${answer.status} ${code}`);
  }
  assert.deepEqual(await keysOf(ann), []);
}

const MISMATCH = { SignatureDoesNotMatch: 403 };

test('a byte of the method', async () => {
  const message = good();
  const mutants = ['POST', 'GET', 'HEAD', 'DELETE', 'PATCH'].map((method) => ({
    ...message,
    method,
  }));
  const answers: Answer[] = [];
  for (const mutant of mutants) answers.push(await send(mutant));
  const codes = answers.map((answer) => `${answer.status} ${factOf(answer, 'Code') ?? ''}`);
  const refused = '403 SignatureDoesNotMatch';
  const noMethod = '405 MethodNotAllowed';
  assert.deepEqual(codes, [noMethod, refused, '403 ', refused, noMethod]);
  await refuseAll(
    positions('PUT').map((at) => ({ ...message, method: mutated('PUT', at) })),
    { BadRequest: 400 },
  );
});

test('a byte of the path, of a name or a value of the query, or of what parts them', async () => {
  const message = good();
  const mutants = positions(TARGET).map((at) => ({ ...message, target: mutated(TARGET, at) }));
  await refuseAll(mutants, { ...MISMATCH, BadRequest: 400, InvalidURI: 400, NotImplemented: 501 });
  const refusals = await Promise.all(mutants.slice(1).map(send));
  for (const answer of refusals) assert.equal(factOf(answer, 'Code'), 'SignatureDoesNotMatch');
});

test('a byte of the value of any signed header', async () => {
  const names = ['host', 'content-type', 'x-amz-meta-colour', 'x-amz-storage-class'];
  for (const name of names) await refuseAll(headerMutants(name), MISMATCH);
});

test('a byte of the name of any signed header', async () => {
  const message = good();
  const names = ['content-type', 'x-amz-meta-colour', 'x-amz-storage-class'];
  const mutants = names.flatMap((name) =>
    positions(name).map((at) => ({
      ...message,
      headers: message.headers.map(([one, value]): Header => {
        return [one === name ? mutated(one, at) : one, value];
      }),
    })),
  );
  // A changed name may be no name of a header at all, or one that is not signed.
  await refuseAll(mutants, { ...MISMATCH, AccessDenied: 403, BadRequest: 400 });
});

test('a byte of the payload hash, and of the body', async () => {
  await refuseAll(headerMutants('x-amz-content-sha256'), MISMATCH);
  const message = good();
  const bodies = positions('hello').map((at) => ({
    ...message,
    body: Buffer.from(mutated('hello', at)),
  }));
  await refuseAll(bodies, { XAmzContentSHA256Mismatch: 400 });
});

test('a byte of the date', async () => {
  const codes = { AuthorizationHeaderMalformed: 400, RequestTimeTooSkewed: 403, AccessDenied: 403 };
  await refuseAll(headerMutants('x-amz-date'), { ...MISMATCH, ...codes });
});

test('a byte of the credential and its scope, of the signed names, of the signature', async () => {
  const message = good();
  const text = headerOf(message, 'authorization');
  const mutants = headerMutants('authorization');
  const within = (pattern: RegExp) => {
    const found = pattern.exec(text);
    assert(found !== null && found[0] !== '', String(pattern));
    return mutants.slice(found.index, found.index + found[0].length);
  };
  const malformed = { AuthorizationHeaderMalformed: 400 };
  await refuseAll(within(/(?<=Credential=)\w+/), { ...malformed, InvalidAccessKeyId: 403 });
  await refuseAll(within(/\/\d{8}\//), malformed);
  await refuseAll(within(/(?<=\/\d{8}\/)auto/), MISMATCH);
  await refuseAll(within(/\/s3\/aws4_request/), malformed);
  await refuseAll(within(/(?<=SignedHeaders=)[^,]+/), {
    ...MISMATCH,
    ...malformed,
    AccessDenied: 403,
  });
  await refuseAll(within(/(?<=Signature=)\w{64}/), MISMATCH);
  // Another type of authorization is InvalidArgument, and `AWS ` one that was given up.
  const untyped = { InvalidRequest: 400, InvalidArgument: 400 };
  await refuseAll(within(/^AWS4-HMAC-SHA256 Credential=/), { ...malformed, ...untyped });
});

test('unchanged, the same request is stored', async () => {
  const answer = await send(good());
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(await keysOf(ann), ['folder/key']);
});
