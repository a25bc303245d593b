/** Passwords that everybody tries first. */

/** As pinned lists have it: the first of those that are long enough to be passwords here. */
const KNOWN_MAX = 10_000;

/**
 * Whether a password is among the commonest of at least `charactersMin` characters, whatever its
 * capitals. The list is loaded by the first who asks.
 */
export async function isKnownPassword(
  password: string,
  options: { readonly charactersMin: number },
): Promise<boolean> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  // In the order of how often they were met in leaks.
  return dictionary['passwords-common']
    .filter(({ length }) => length >= options.charactersMin)
    .slice(0, KNOWN_MAX)
    .includes(password.toLowerCase());
}
