/**
 * One key that several actors write and read at once. What a reader may find follows from what was
 * asked and answered when: the value of a write, unless another write that was asked after that
 * one's answer has been answered too.
 */
import { strict as assert } from 'node:assert';
import type { Held } from '../world/store-calls.ts';

/** Moments are places in the order of all asks and answers. */
type Write = {
  readonly value: Held;
  readonly askedAt: number;
  /** `undefined` while it has no answer, and for ever when its process died. */
  answeredAt: number | undefined;
  /** A refused write has changed nothing. */
  isRefused: boolean;
};

export class ContestedKey {
  #writes: Write[] = [{ value: undefined, askedAt: 0, answeredAt: 1, isRefused: false }];
  #now = 2;

  /** Runs a write and keeps when it was asked and answered. */
  async write(value: Held, run: () => Promise<void>): Promise<void> {
    const write: Write = { value, askedAt: this.#tick(), answeredAt: undefined, isRefused: false };
    this.#writes.push(write);
    try {
      await run();
      write.answeredAt = this.#tick();
    } catch (error) {
      write.isRefused = true;
      throw error;
    }
  }

  /** Runs a read and asserts that what it found could be there. */
  async read(run: () => Promise<Held>): Promise<void> {
    const askedAt = this.#tick();
    const value = await run();
    this.#assertPossible(value, { askedAt, answeredAt: this.#tick() });
  }

  /** Whatever is found after the death of the process is what is there from now on. */
  settle(value: Held): void {
    this.#assertPossible(value, { askedAt: this.#tick(), answeredAt: this.#tick() });
    const askedAt = this.#tick();
    this.#writes = [{ value, askedAt, answeredAt: this.#tick(), isRefused: false }];
  }

  #assertPossible(
    value: Held,
    read: { readonly askedAt: number; readonly answeredAt: number },
  ): void {
    const isPossible = this.#writes.some(
      (write) =>
        !write.isRefused &&
        write.askedAt < read.answeredAt &&
        isSame(write.value, value) &&
        !this.#isReplaced(write, read.askedAt),
    );
    assert.ok(isPossible, 'a reader finds what was written last, or is being written');
  }

  /** Whether another write surely came after this one and before a moment. */
  #isReplaced({ answeredAt }: Write, moment: number): boolean {
    return this.#writes.some(
      (other) =>
        !other.isRefused &&
        answeredAt !== undefined &&
        other.askedAt > answeredAt &&
        other.answeredAt !== undefined &&
        other.answeredAt < moment,
    );
  }

  #tick(): number {
    this.#now += 1;
    return this.#now;
  }
}

function isSame(one: Held, other: Held): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
