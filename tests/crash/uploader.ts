/** An account that stores, overwrites, renames and deletes files until its server is gone. */
import assert from 'node:assert/strict';
import { digestBytes } from '../../src/kit/digests.ts';

/** BLAKE3 of what each name holds. */
type Holdings = ReadonlyMap<string, string>;

/** The call that had no answer yet when the server went away: it holds whole, or not at all. */
type CallUnderWay = {
  readonly holdings: Holdings;
  readonly upload: { readonly name: string; readonly hash: string } | undefined;
};

type Facts = Readonly<Record<string, unknown>>;

const NAMES = ['a', 'b/1', 'b/2', 'c d', 'é', 'f'];
/** Small bodies share a file, larger ones have one of their own and announce themselves. */
const SIZES = [0, 1, 900, 4096, 60_000, 262_144, 262_145, 500_000];

export class Uploader {
  readonly #headers: Readonly<Record<string, string>>;
  readonly #chance: () => number;
  readonly #bytes: Uint8Array;
  /** As acknowledged. */
  #holdings: Holdings = new Map();
  #underWay: CallUnderWay | undefined;
  /** Calls that were answered. */
  acknowledged = 0;
  /** Operations that were found to have lost their server. */
  interrupted = 0;

  /** `bytes` are what the bodies are cut from. */
  constructor(appKey: string, chance: () => number, bytes: Uint8Array) {
    this.#headers = { authorization: `ApiKey ${appKey}` };
    this.#chance = chance;
    this.#bytes = bytes;
  }

  /** Files that it holds. */
  get heldCount(): number {
    return this.#holdings.size;
  }

  /** Makes one call after another, and tells of each answer; ends when one gets none. */
  async workUntilDown(url: string, onAnswer: () => void): Promise<void> {
    for (;;) {
      const call = this.#nextCall();
      this.#underWay = call;
      const response = await call.send(url).catch(() => undefined);
      // The head may come although the body is lost; what counts is that the server said yes.
      if (response === undefined) return;
      assert.equal(response.status, call.expected, `${response.status} to a good call`);
      this.#holdings = call.holdings;
      this.#underWay = undefined;
      this.acknowledged += 1;
      onAnswer();
      if ((await response.text().catch(() => undefined)) === undefined) return;
    }
  }

  /** Checks after a restart that what was acknowledged is there, whole, and nothing else. */
  async checkHoldings(url: string): Promise<void> {
    const found = await this.#readAll(url);
    const isDone = this.#underWay !== undefined && isSame(found, this.#underWay.holdings);
    if (!isDone) assert.deepEqual(found, this.#holdings, 'exactly what was acknowledged is there');
    await this.#checkOperations(url, { found, isDone });
    this.#holdings = found;
    this.#underWay = undefined;
  }

  #nextCall() {
    const held = [...this.#holdings.keys()];
    const name = this.#pick(held) ?? '';
    const dice = this.#chance();
    if (name === '' || dice < 0.65) return this.#upload();
    if (dice < 0.8) return this.#delete(name);
    return this.#rename(name);
  }

  #upload() {
    const name = this.#pick(NAMES) ?? '';
    const size = this.#pick(SIZES) ?? 0;
    const from = Math.floor(this.#chance() * (this.#bytes.length - size));
    const bytes = this.#bytes.slice(from, from + size);
    const hash = digestBytes(bytes).blake3;
    // Every fourth is of a length that the server does not know.
    const isStream = this.#chance() < 0.25;
    const body = isStream ? new Blob([bytes]).stream() : bytes;
    return {
      holdings: new Map([...this.#holdings, [name, hash]]),
      upload: { name, hash },
      expected: 202,
      send: (url: string) =>
        fetch(`${url}/upload?file_name=${encodeURIComponent(name)}`, {
          method: 'POST',
          headers: this.#headers,
          body,
          duplex: 'half',
        }),
    };
  }

  #delete(name: string) {
    return {
      holdings: new Map([...this.#holdings].filter(([held]) => held !== name)),
      upload: undefined,
      expected: 200,
      send: (url: string) => this.#post(`${url}/deleteFile`, { file_name: name }),
    };
  }

  #rename(name: string) {
    const to = this.#pick(NAMES.filter((other) => other !== name)) ?? '';
    const others = [...this.#holdings].filter(([held]) => held !== name);
    return {
      holdings: new Map([...others, [to, this.#holdings.get(name) ?? '']]),
      upload: undefined,
      expected: 200,
      send: (url: string) =>
        this.#post(`${url}/renameFile`, { file_name: name, new_file_name: to, overwrite: true }),
    };
  }

  /** Lists the files and reads each; what is listed must be what is read. */
  async #readAll(url: string): Promise<Holdings> {
    const { files } = (await this.#get(`${url}/files?limit=1000`)) as {
      files: readonly { file_name: string; size: number; content_hash: string }[];
    };
    const found = new Map<string, string>();
    for (const file of files) {
      const query = `file_name=${encodeURIComponent(file.file_name)}`;
      const response = await fetch(`${url}/download-stream?${query}`, { headers: this.#headers });
      assert.equal(response.status, 200, file.file_name);
      const bytes = await response.bytes();
      assert.equal(bytes.length, file.size, file.file_name);
      assert.equal(digestBytes(bytes).blake3, file.content_hash, file.file_name);
      found.set(file.file_name, file.content_hash);
    }
    return found;
  }

  /** No operation is still running, and that of the lost upload says how it went. */
  async #checkOperations(
    url: string,
    { found, isDone }: { readonly found: Holdings; readonly isDone: boolean },
  ): Promise<void> {
    const upload = this.#underWay?.upload;
    for (const name of NAMES) {
      const query = `file_name=${encodeURIComponent(name)}`;
      const response = await fetch(`${url}/checkUploadStatus?${query}`, { headers: this.#headers });
      const status = (await response.json()) as Facts;
      if (response.status === 404) {
        assert.ok(!(isDone && upload?.name === name), `${name} is there without an operation`);
        continue;
      }
      const kind = `${status['status']} ${status['error']}`;
      assert.match(kind, /^(completed null|failed interrupted)$/, name);
      if (kind === 'failed interrupted') this.interrupted += 1;
      if (upload?.name !== name) continue;
      if (isDone) assert.equal(status['content_hash'], found.get(name), name);
      // Tiny bodies are the same again and again, and their hash tells no upload from another.
      const isIts = status['content_hash'] === upload.hash && Number(status['bytes_total']) > 16;
      if (isIts) assert.equal(found.get(name), upload.hash, `${name} is completed, so it is there`);
    }
  }

  async #get(url: string): Promise<unknown> {
    const response = await fetch(url, { headers: this.#headers });
    assert.equal(response.status, 200);
    return await response.json();
  }

  #post(url: string, body: object): Promise<Response> {
    return fetch(url, {
      method: 'POST',
      headers: { ...this.#headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#chance() * list.length)];
  }
}

function isSame(one: Holdings, other: Holdings): boolean {
  return one.size === other.size && [...one].every(([name, hash]) => other.get(name) === hash);
}
