export type HashOptions = {
  readonly signal?: AbortSignal;
  /** Whose work it is: an account or an address. */
  readonly owner?: string | undefined;
};

/**
 * Hashes passwords with a function that is slow and takes much memory on purpose. Few run at once,
 * a bounded number waits, the rest is refused, so that sign-ins never starve the service; where it
 * is full, the owner that waits with most is refused, and not who comes with less.
 */
export interface PasswordHasher {
  /**
   * A salted hash in a text form that names its function and costs. Throws `rate_limited` when too
   * many wait, `aborted` when the signal fires before its turn.
   */
  hash(password: string, options?: HashOptions): Promise<string>;

  /**
   * Whether `hash` was made of `password`. Without a hash it does the same work and answers
   * `false`, so that time does not tell which accounts exist. Throws as `hash` does, and `corrupt`
   * when `hash` is none.
   */
  verify(password: string, hash: string | undefined, options?: HashOptions): Promise<boolean>;
}
