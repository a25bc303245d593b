/** Passwords: what is asked of a new one. */
import { isKnownPassword } from '../../../kit/known-passwords.ts';
import { bytesOfUtf8, isWellFormedText } from '../../../kit/text.ts';
import { ServiceError } from '../../errors.ts';
import {
  PASSWORD_BYTES_MAX,
  PASSWORD_CHARACTERS_MAX,
  PASSWORD_CHARACTERS_MIN,
} from '../../limits.ts';

/**
 * Parses a new password to the text that is hashed. `names` are its owner's, which everybody would
 * try. Throws `password_invalid`, whose words begin with "Password": published clients look for it.
 */
export async function parseNewPassword(
  text: string,
  names: readonly (string | undefined)[],
): Promise<string> {
  const password = foldPassword(text);
  if (password === undefined || charactersOf(password) > PASSWORD_CHARACTERS_MAX) {
    throw passwordInvalid(`is text of at most ${PASSWORD_CHARACTERS_MAX} characters.`);
  }
  if (charactersOf(password) < PASSWORD_CHARACTERS_MIN) {
    throw passwordInvalid(`must have at least ${PASSWORD_CHARACTERS_MIN} characters.`);
  }
  if (names.some((name) => name?.toLowerCase() === password.toLowerCase())) {
    throw passwordInvalid('must not be the name of the account.');
  }
  if (await isKnownPassword(password, { charactersMin: PASSWORD_CHARACTERS_MIN })) {
    throw passwordInvalid('is among the first that anybody tries; choose another.');
  }
  return password;
}

/**
 * The text that is hashed for a password, or `undefined` when none can be. Keyboards write the same
 * letter in composed and decomposed form; NFC makes them one (RFC 8265 section 4).
 */
export function foldPassword(text: string): string | undefined {
  if (text.length > PASSWORD_BYTES_MAX || !isWellFormedText(text)) return undefined;
  const folded = text.normalize('NFC');
  return bytesOfUtf8(folded) <= PASSWORD_BYTES_MAX ? folded : undefined;
}

function charactersOf(text: string): number {
  return [...text].length;
}

function passwordInvalid(problem: string): ServiceError {
  return new ServiceError('password_invalid', `Password ${problem}`);
}
