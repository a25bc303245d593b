/**
 * Passwords by Argon2id (RFC 9106), in native code off the main thread, loaded with the first one.
 */
import { ServiceError } from '../../core/errors.ts';
import type { PasswordHasher } from '../../core/ports/password-hasher.ts';
import { Gate, GateFullError, type GateOptions } from '../../kit/gate.ts';

/** OWASP's recommendation of 2023 for Argon2id; about 30 ms of one core. */
const COSTS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

const HASH_FORM =
  /^\$argon2id\$v=19\$m=\d{1,7},t=\d{1,3},p=\d{1,2}\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{22,}$/;

export class Argon2PasswordHasher implements PasswordHasher {
  readonly #gate: Gate;
  /** Stands in for the hash of accounts that have none; what it answers is never believed. */
  #nobodysHash: Promise<string> | undefined;

  /** `waitingMax` are let wait while `atOnceMax` run. */
  constructor(limits: { readonly atOnceMax: number; readonly waitingMax: number }) {
    this.#gate = new Gate(limits);
  }

  async hash(password: string, options: GateOptions = {}): Promise<string> {
    const { hash } = await import('@node-rs/argon2');
    return await this.#take(() => hash(password, COSTS), options);
  }

  async verify(
    password: string,
    known: string | undefined,
    options: GateOptions = {},
  ): Promise<boolean> {
    if (known !== undefined && !HASH_FORM.test(known)) {
      throw new ServiceError('corrupt', 'A kept password hash is not Argon2id.');
    }
    const { hash, verify } = await import('@node-rs/argon2');
    // Waited for by everybody, so that the first answer tells nobody whether there is an account.
    this.#nobodysHash ??= hash('', COSTS);
    const nobodysHash = await this.#nobodysHash;
    const isRight = await this.#take(() => verify(known ?? nobodysHash, password), options);
    return known !== undefined && isRight;
  }

  async #take<T>(work: () => Promise<T>, options: GateOptions): Promise<T> {
    try {
      return await this.#gate.run(work, options);
    } catch (error) {
      if (error instanceof GateFullError) {
        throw new ServiceError('rate_limited', 'Too many sign-ins at once; try again soon.', {
          details: { retryAfter: 1 },
          cause: error,
        });
      }
      if (options.signal?.aborted) throw new ServiceError('aborted', 'Aborted.', { cause: error });
      throw error;
    }
  }
}
