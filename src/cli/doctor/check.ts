/** What `pinfold doctor` looks at, and what it finds. */

/**
 * `ok`: as it should be. `warns`: changed on the way, but few clients, or none, meet it. `fails`:
 * clients meet it. `skipped`: another failure stands before it.
 */
export type CheckState = 'ok' | 'warns' | 'fails' | 'skipped';

export type Finding = {
  readonly state: CheckState;
  /** What was seen: a clause or two, without a full stop. */
  readonly says: string;
  /** What to do about it: sentences in the imperative. */
  readonly remedy?: string;
};

export type Target = 'S3' | 'API';

/** `Subject` is what the check asks. */
export type Check<Subject> = {
  readonly name: string;
  readonly look: (subject: Subject) => Promise<Finding>;
};

export type Checked = Finding & { readonly target: Target; readonly check: string };

/**
 * One after the other, so that a proxy's limits of connections are not what is measured. The signal
 * is heeded between them.
 */
export async function runChecks<Subject>(
  checks: readonly Check<Subject>[],
  on: { readonly target: Target; readonly subject: Subject },
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<readonly Checked[]> {
  const { target, subject } = on;
  const checked: Checked[] = [];
  for (const [at, { name, look }] of checks.entries()) {
    if (signal?.aborted) {
      return [...checked, ...skipped(checks.slice(at), target, 'it was interrupted')];
    }
    checked.push({ target, check: name, ...(await look(subject)) });
  }
  return checked;
}

export function skipped(
  checks: readonly { readonly name: string }[],
  target: Target,
  says: string,
): readonly Checked[] {
  return checks.map(({ name }) => ({ target, check: name, state: 'skipped', says }));
}

export function ok(says: string): Finding {
  return { state: 'ok', says };
}

export function warns(says: string, remedy: string): Finding {
  return { state: 'warns', says, remedy };
}

export function fails(says: string, remedy: string): Finding {
  return { state: 'fails', says, remedy };
}
