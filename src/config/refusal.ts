/** What stops the start: a setting, what is wrong with it, and what to do about it. */

export type Refusal = {
  /** As its owner wrote it: `PINFOLD_API_PORT`, or `api_port in /etc/pinfold.toml`. */
  readonly setting: string;
  /** A clause that follows the setting's name; never quotes a value that may be secret. */
  readonly problem: string;
  /** A sentence in the imperative. */
  readonly remedy: string;
};

/** The configuration cannot be used; holds every refusal, so that one start shows them all. */
export class ConfigError extends Error {
  readonly refusals: readonly Refusal[];

  constructor(refusals: readonly Refusal[]) {
    super(refusals.map(sayRefusal).join('\n'));
    this.name = 'ConfigError';
    this.refusals = refusals;
  }
}

/** One refusal as a line for people. */
export function sayRefusal(refusal: Refusal): string {
  return `${refusal.setting} ${refusal.problem}. ${refusal.remedy}`;
}

/** A value that its form does not take; the reader adds whose value it was. */
export class ValueRefusal extends Error {
  readonly problem: string;
  readonly remedy: string;

  constructor(problem: string, remedy: string) {
    super(problem);
    this.name = 'ValueRefusal';
    this.problem = problem;
    this.remedy = remedy;
  }
}
