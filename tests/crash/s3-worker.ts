/**
 * An account that stores, completes, copies and deletes over S3 until its server is gone, and knows
 * then what may be found: everything acknowledged, and of the call under way all or nothing.
 */
import assert from 'node:assert/strict';
import { elementsOf, textsOf } from '../clients/s3/xml-texts.ts';
import {
  MIB,
  md5Header,
  md5Of,
  type ObjectCalls,
  type Part,
  textOf,
} from '../wire/s3/object-calls.ts';

/** What it does: only parts, parts and Completes, or everything. */
export type Work = 'parts' | 'completes' | 'all';

/** MD5 of what each key holds. */
type Holdings = ReadonlyMap<string, string>;

type Upload = {
  readonly key: string;
  readonly uploadId: string;
  readonly parts: ReadonlyMap<number, Buffer>;
};

/** The call that has no answer. */
type Doubt =
  | { readonly kind: 'begin' | 'abort' }
  | { readonly kind: 'put'; readonly holdings: Holdings }
  | { readonly kind: 'delete'; readonly keys: readonly string[] }
  | { readonly kind: 'part'; readonly number: number; readonly bytes: Buffer }
  | { readonly kind: 'complete'; readonly listed: readonly Part[]; readonly whole: Buffer };

type Answer = { readonly status: number; readonly text: string };

const KEYS = ['a', 'b/1', 'b/2', 'c d', 'é', 'f'];
/** Small bodies share a file, larger ones have one of their own. */
const SIZES = [0, 1, 900, 60_000, 262_144, 262_145, 600_000];
const NUMBERS = [1, 2, 3, 500, 10_000];
const LARGE_BYTES = 5 * MIB;

export class S3Worker {
  readonly #calls: ObjectCalls;
  readonly #chance: () => number;
  readonly #bytes: Buffer;
  #holdings: Holdings = new Map();
  #upload: Upload | undefined;
  #doubt: Doubt | undefined;
  /** Calls that were answered. */
  acknowledged = 0;
  /** Completes whose answer was lost and came when they were asked for again. */
  repeated = 0;

  /** `bytes` are what the bodies are cut from. */
  constructor(calls: ObjectCalls, chance: () => number, bytes: Buffer) {
    this.#calls = calls;
    this.#chance = chance;
    this.#bytes = bytes;
  }

  /** Makes one call after another; ends when one gets no answer. */
  async workUntilDown(work: Work): Promise<void> {
    for (;;) {
      const isAnswered = await this.#step(work);
      if (!isAnswered) return;
      this.acknowledged += 1;
    }
  }

  /** Checks after a restart that what may be there is there, whole, and nothing else. */
  async settle(): Promise<void> {
    const doubt = this.#doubt;
    this.#doubt = undefined;
    const found = await this.#readAll();
    if (doubt?.kind === 'put' && isSame(found, doubt.holdings)) this.#holdings = found;
    if (doubt?.kind === 'delete') this.#holdings = this.#withoutSome(doubt.keys, found);
    if (doubt?.kind === 'complete') return await this.#settleComplete(doubt, found);
    assert.deepEqual(found, this.#holdings, 'exactly what was acknowledged is there');
    if (doubt?.kind === 'abort') return await this.#settleAbort();
    await this.#settleParts(doubt);
  }

  async #step(work: Work): Promise<boolean> {
    const dice = this.#chance();
    const upload = this.#upload;
    if (work === 'all' && dice < 0.4) {
      if (dice < 0.25) return await this.#put();
      return await (dice < 0.32 ? this.#copy() : this.#deleteSome());
    }
    if (upload === undefined) return await this.#begin();
    if (work === 'parts' || upload.parts.size === 0 || dice < 0.75) return await this.#send(upload);
    if (work === 'all' && dice > 0.95) return await this.#abort(upload);
    return await this.#complete(upload);
  }

  #put(): Promise<boolean> {
    const key = this.#pick(KEYS);
    const body = this.#body();
    const holdings = new Map([...this.#holdings, [key, md5Of(body)]]);
    return this.#ask(
      { kind: 'put', holdings },
      () => this.#calls.ask('PUT', key, { body }),
      () => {
        this.#holdings = holdings;
      },
    );
  }

  #copy(): Promise<boolean> {
    const [from, md5] = this.#pick([...this.#holdings, ['', '']] as const);
    const key = this.#pick(KEYS.filter((one) => one !== from));
    if (from === '') return this.#put();
    const source = `${this.#calls.bucket}/${encodeURIComponent(from)}`;
    const holdings = new Map([...this.#holdings, [key, md5]]);
    const headers = { 'x-amz-copy-source': source };
    return this.#ask(
      { kind: 'put', holdings },
      () => this.#calls.ask('PUT', key, { headers }),
      () => {
        this.#holdings = holdings;
      },
    );
  }

  #deleteSome(): Promise<boolean> {
    const keys = KEYS.filter(() => this.#chance() < 0.5);
    if (keys.length === 0) return this.#put();
    const objects = keys.map((key) => `<Object><Key>${key}</Key></Object>`);
    const body = `<Delete>${objects.join('')}</Delete>`;
    const asked = { query: { delete: '' }, body, headers: md5Header(body) };
    return this.#ask(
      { kind: 'delete', keys },
      () => this.#calls.ask('POST', undefined, asked),
      () => {
        this.#holdings = new Map([...this.#holdings].filter(([key]) => !keys.includes(key)));
      },
    );
  }

  #begin(): Promise<boolean> {
    const key = this.#pick(KEYS);
    const ask = () => this.#calls.ask('POST', key, { query: { uploads: '' } });
    return this.#ask({ kind: 'begin' }, ask, ({ text }) => {
      this.#upload = { key, uploadId: textOf(text, 'UploadId'), parts: new Map() };
    });
  }

  #send(upload: Upload): Promise<boolean> {
    const number = this.#pick(NUMBERS);
    const isLarge = number === 1 && this.#chance() < 0.3;
    const bytes = isLarge ? this.#bytes.subarray(0, LARGE_BYTES) : this.#body();
    const query = { partNumber: `${number}`, uploadId: upload.uploadId };
    const ask = () => this.#calls.ask('PUT', upload.key, { query, body: bytes });
    return this.#ask({ kind: 'part', number, bytes }, ask, () => {
      this.#upload = { ...upload, parts: new Map([...upload.parts, [number, bytes]]) };
    });
  }

  #complete(upload: Upload): Promise<boolean> {
    const numbers = [...upload.parts.keys()].toSorted((one, other) => one - other);
    const last = numbers.at(-1) ?? 0;
    const isFirstLarge = last > 1 && upload.parts.get(1)?.length === LARGE_BYTES;
    const chosen = isFirstLarge ? [1, last] : [last];
    const bodies = chosen.map((number) => upload.parts.get(number) ?? Buffer.alloc(0));
    const listed = chosen.map((number, index) => ({
      number,
      etag: `"${md5Of(bodies[index] ?? '')}"`,
    }));
    const whole = Buffer.concat(bodies);
    const ask = () => this.#calls.complete(upload.key, upload.uploadId, listed);
    return this.#ask({ kind: 'complete', listed, whole }, ask, () => {
      this.#holdings = new Map([...this.#holdings, [upload.key, md5Of(whole)]]);
      this.#upload = undefined;
    });
  }

  #abort(upload: Upload): Promise<boolean> {
    const ask = () => this.#calls.abort(upload.key, upload.uploadId);
    return this.#ask({ kind: 'abort' }, ask, () => {
      this.#upload = undefined;
    });
  }

  /** Whether there was an answer, which then holds. */
  async #ask(
    doubt: Doubt,
    send: () => Promise<Answer>,
    onAnswer: (answer: Answer) => void,
  ): Promise<boolean> {
    this.#doubt = doubt;
    const answer = await send().catch(() => undefined);
    if (answer === undefined) return false;
    assert.ok(answer.status < 300, `${doubt.kind}: ${answer.status} ${answer.text}`);
    onAnswer(answer);
    this.#doubt = undefined;
    return true;
  }

  /** Of a delete of many each key is gone or as it was. */
  #withoutSome(keys: readonly string[], found: Holdings): Holdings {
    return new Map([...this.#holdings].filter(([key]) => !keys.includes(key) || found.has(key)));
  }

  /** The Complete that was not answered is asked for again, and makes or made the object. */
  async #settleComplete(
    { listed, whole }: Extract<Doubt, { kind: 'complete' }>,
    found: Holdings,
  ): Promise<void> {
    const upload = this.#upload;
    assert(upload !== undefined);
    const after = new Map([...this.#holdings, [upload.key, md5Of(whole)]]);
    const isDone = isSame(found, after);
    if (!isDone) assert.deepEqual(found, this.#holdings, 'the object is whole or not there');
    const again = await this.#calls.complete(upload.key, upload.uploadId, listed);
    assert.equal(again.status, 200, again.text);
    if (isDone) this.repeated += 1;
    const md5s = Buffer.concat(listed.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex')));
    assert.equal(textOf(again.text, 'ETag'), `"${md5Of(md5s)}-${listed.length}"`);
    this.#holdings = after;
    this.#upload = undefined;
    assert.deepEqual(await this.#readAll(), after);
  }

  async #settleAbort(): Promise<void> {
    const upload = this.#upload;
    assert(upload !== undefined);
    const again = await this.#calls.abort(upload.key, upload.uploadId);
    assert.ok([204, 404].includes(again.status), again.text);
    this.#upload = undefined;
  }

  /** The parts are those that were acknowledged, and the one under way whole or not there. */
  async #settleParts(doubt: Doubt | undefined): Promise<void> {
    const upload = this.#upload;
    if (upload === undefined) return;
    const { key, uploadId, parts } = upload;
    const { text } = await this.#calls.done('GET', key, { query: { uploadId } });
    const found = elementsOf(text, 'Part').map((part) => [
      Number(textOf(part, 'PartNumber')),
      `${textOf(part, 'Size')} ${textOf(part, 'ETag')}`,
    ]);
    const after = doubt?.kind === 'part' ? new Map([...parts, [doubt.number, doubt.bytes]]) : parts;
    const isDone = JSON.stringify(found) === JSON.stringify(listOf(after));
    if (!isDone) assert.deepEqual(found, listOf(parts), 'the parts are those acknowledged');
    this.#upload = { key, uploadId, parts: isDone ? after : parts };
  }

  /** Lists the objects and reads each; what is listed must be what is read. */
  async #readAll(): Promise<Holdings> {
    const { text } = await this.#calls.list();
    const found = new Map<string, string>();
    for (const element of elementsOf(text, 'Contents')) {
      const [key = ''] = textsOf(element, 'Key');
      const { status, bytes, headers } = await this.#calls.get(key);
      assert.equal(status, 200, key);
      assert.equal(`${bytes.length}`, textOf(element, 'Size'), key);
      assert.equal(headers.etag, textOf(element, 'ETag'), key);
      const etag = String(headers.etag).slice(1, -1);
      if (!etag.includes('-')) assert.equal(md5Of(bytes), etag, key);
      found.set(key, md5Of(bytes));
    }
    return found;
  }

  #body(): Buffer {
    const size = this.#pick(SIZES);
    const from = Math.floor(this.#chance() * (this.#bytes.length - size));
    return this.#bytes.subarray(from, from + size);
  }

  #pick<T>(list: readonly T[]): T {
    const picked = list[Math.floor(this.#chance() * list.length)];
    assert(picked !== undefined);
    return picked;
  }
}

function listOf(parts: ReadonlyMap<number, Buffer>): readonly (readonly [number, string])[] {
  return [...parts]
    .toSorted(([one], [other]) => one - other)
    .map(([number, bytes]) => [number, `${bytes.length} "${md5Of(bytes)}"`]);
}

function isSame(one: Holdings, other: Holdings): boolean {
  return one.size === other.size && [...one].every(([key, md5]) => other.get(key) === md5);
}
