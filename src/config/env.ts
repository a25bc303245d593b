/** The one reader of the process's environment. */

export type Environment = {
  /** Every variable that begins with `PINFOLD_`, by its whole name. */
  readonly settings: Readonly<Record<string, string>>;
  /** `NO_COLOR` is set to something (no-color.org). */
  readonly isColorRefused: boolean;
  /** `CI` is set to something: nobody watches. */
  readonly isUnattended: boolean;
  /** Started by a script of npm, as in a clone, where no `pinfold` is on the path. */
  readonly isNpmScript: boolean;
};

/** Reads what Pinfold heeds of the environment, once, at the start. */
export function readEnvironment(): Environment {
  return environmentOf(process.env);
}

/** The same of any variables, for tests and for programs that start others. */
export function environmentOf(
  variables: Readonly<Record<string, string | undefined>>,
): Environment {
  const settings: Record<string, string> = {};
  for (const [name, text] of Object.entries(variables)) {
    if (name.startsWith('PINFOLD_') && text !== undefined) settings[name] = text;
  }
  const isSet = (name: string) => (variables[name] ?? '') !== '';
  return {
    settings,
    isColorRefused: isSet('NO_COLOR'),
    isUnattended: isSet('CI'),
    isNpmScript: isSet('npm_lifecycle_event'),
  };
}
