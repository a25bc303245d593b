/** Proves how forms are framed, what is no form, and that little of one is held. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FormDecoder } from './form-decoder.ts';
import { FormError, type FormErrorKind } from './form-error.ts';

const BOUNDARY = 'b';
const HEAD = 'Content-Disposition: form-data; name="n"\r\n\r\n';

/** The values of the parts. */
function decode(...pieces: readonly string[]): readonly string[] {
  const decoder = new FormDecoder(BOUNDARY);
  const values: string[] = [];
  let value = '';
  for (const piece of pieces) {
    for (const event of decoder.push(Buffer.from(piece, 'latin1'))) {
      if (event.kind === 'part') value = '';
      else if (event.kind === 'bytes') value += Buffer.from(event.bytes).toString('latin1');
      else values.push(value);
    }
  }
  decoder.finish();
  return values;
}

const failsAs = (kind: FormErrorKind) => (error: unknown) =>
  error instanceof FormError && error.kind === kind;

test('parts end where the delimiter stands, and nowhere before', () => {
  const values = [
    '',
    'v',
    '\r\n',
    '\r\n--',
    '--b',
    '\n--b',
    '\r--b',
    '\r\n--a',
    '\r\r\n\r\n-',
    '\r',
  ];
  for (const value of values) {
    assert.deepEqual(decode(`--b\r\n${HEAD}${value}\r\n--b--`), [value]);
    const twice = `--b\r\n${HEAD}${value}\r\n--b\r\n${HEAD}${value}\r\n--b--\r\n`;
    assert.deepEqual(decode(twice), [value, value]);
    assert.deepEqual(decode(...twice), [value, value]);
  }
});

test('what stands around the parts is dropped, if it is little', () => {
  assert.deepEqual(decode(`preamble\r\n--b\r\n${HEAD}v\r\n--b--\r\nepilogue --b`), ['v']);
  assert.deepEqual(decode('--b--'), []);
  const long = 'x'.repeat(9000);
  assert.throws(() => decode(`${long}\r\n--b--`), failsAs('too_long'));
  assert.throws(() => decode(`--b--${long}`), failsAs('too_long'));
});

test('a form that ends before its last boundary is incomplete', () => {
  const whole = `--b\r\n${HEAD}v\r\n--b--`;
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => decode(whole.slice(0, length)), failsAs('incomplete'), String(length));
  }
});

test('a boundary is followed by a line end or two dashes, a head by lines', () => {
  for (const end of ['x', '-x', '\r\r', ' \r\n', '\n\n']) {
    assert.throws(() => decode(`--b${end}${HEAD}v\r\n--b--`), failsAs('malformed'), end);
  }
  assert.throws(() => decode(`--b\r\nX: y\n${HEAD}v\r\n--b--`), failsAs('malformed'));
  assert.throws(() => decode('--b\r\n\r\nv\r\n--b--'), failsAs('malformed'));
});

test('a head is bounded, in one line or in many', () => {
  for (const lines of ['X: '.padEnd(9000, 'x'), 'X: y\r\n'.repeat(2000)]) {
    assert.throws(() => decode(`--b\r\n${lines}\r\n${HEAD}v\r\n--b--`), failsAs('too_long'));
  }
});

test('an error stays: every further call throws it', () => {
  const decoder = new FormDecoder(BOUNDARY);
  assert.throws(() => [...decoder.push(Buffer.from('--bx!'))], failsAs('malformed'));
  assert.throws(() => [...decoder.push(Buffer.from('\r\n'))], failsAs('malformed'));
  assert.throws(() => decoder.finish(), failsAs('malformed'));
});

test('bytes of a part are views of what was pushed, given as they come', () => {
  const decoder = new FormDecoder(BOUNDARY);
  assert.equal([...decoder.push(Buffer.from(`--b\r\n${HEAD}`))].length, 1);
  const piece = Buffer.alloc(65_536, 'x');
  const events = [...decoder.push(piece)];
  assert.equal(events.length, 1);
  assert(events[0]?.kind === 'bytes');
  assert.equal(events[0].bytes.buffer, piece.buffer);
  assert.equal(events[0].bytes.length, piece.length);
});

test('a piece belongs to its sender again once its events were taken', () => {
  const decoder = new FormDecoder(BOUNDARY);
  let value = '';
  for (const text of [`--b\r\n${HEAD}a\r\n-`, 'x', 'y\r\n--b--']) {
    const piece = Buffer.from(text);
    for (const event of decoder.push(piece)) {
      if (event.kind === 'bytes') value += Buffer.from(event.bytes).toString();
    }
    piece.fill('?');
  }
  decoder.finish();
  assert.equal(value, 'a\r\n-xy');
});
