/**
 * One multipart upload of one actor, whose calls follow each other: the parts that were
 * acknowledged, and what is under way.
 */
import { strict as assert } from 'node:assert';
import type { MultipartUpload } from '../../src/core/objects/multipart/upload.ts';
import type { FoundUpload } from '../world/store-calls.ts';

type Call =
  | { readonly kind: 'part'; readonly number: number; readonly bytes: Buffer }
  | { readonly kind: 'complete'; readonly whole: Buffer }
  | { readonly kind: 'abort' };

/** How it stands after a crash. */
type Settled =
  | { readonly kind: 'open' | 'aborted' }
  | { readonly kind: 'completed'; readonly whole: Buffer };

export class OpenUpload {
  readonly upload: MultipartUpload;
  #parts = new Map<number, Buffer>();
  #underWay: Call | undefined;

  constructor(upload: MultipartUpload) {
    this.upload = upload;
  }

  get numbers(): readonly number[] {
    return [...this.#parts.keys()].toSorted((a, b) => a - b);
  }

  /** What it will be once it is completed with these. */
  wholeOf(numbers: readonly number[]): Buffer {
    return Buffer.concat(numbers.map((number) => this.#parts.get(number) ?? assert.fail()));
  }

  async addPart(number: number, bytes: Buffer, run: () => Promise<void>): Promise<void> {
    await this.#call({ kind: 'part', number, bytes }, run);
    this.#parts.set(number, bytes);
  }

  async complete(numbers: readonly number[], run: () => Promise<void>): Promise<void> {
    await this.#call({ kind: 'complete', whole: this.wholeOf(numbers) }, run);
  }

  async abort(run: () => Promise<void>): Promise<void> {
    await this.#call({ kind: 'abort' }, run);
  }

  /** Asserts that what is found after a crash could be there; answers how it stands. */
  settle({ upload, parts }: FoundUpload): Settled {
    const call = this.#underWay;
    this.#underWay = undefined;
    if (upload === undefined || upload.completion !== undefined) {
      assert.equal(parts.size, 0, 'an upload that has ended has no parts');
      assert.equal(
        call?.kind,
        upload === undefined ? 'abort' : 'complete',
        'it ends when asked to',
      );
      return call.kind === 'complete'
        ? { kind: 'completed', whole: call.whole }
        : { kind: 'aborted' };
    }
    const before = this.#parts;
    const after = new Map(before);
    if (call?.kind === 'part') after.set(call.number, call.bytes);
    assert.ok(
      isSame(parts, before) || isSame(parts, after),
      'the parts are as they were acknowledged, or one step on',
    );
    this.#parts = new Map(parts);
    return { kind: 'open' };
  }

  /** A call that is refused has changed nothing; one whose process died may have. */
  async #call(call: Call, run: () => Promise<void>): Promise<void> {
    this.#underWay = call;
    await run().finally(() => {
      this.#underWay = undefined;
    });
  }
}

function isSame(found: ReadonlyMap<number, Buffer>, expected: ReadonlyMap<number, Buffer>) {
  return (
    found.size === expected.size &&
    [...found].every(([number, bytes]) => expected.get(number)?.equals(bytes) === true)
  );
}
