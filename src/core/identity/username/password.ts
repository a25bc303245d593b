/** Passwords: what is asked of a new one. */
import { bytesOfUtf8, isWellFormedText } from '../../../kit/text.ts';
import { ServiceError } from '../../errors.ts';
import { PASSWORD_BYTES_MAX, PASSWORD_CHARACTERS_MIN } from '../../limits.ts';

/** Parses a new password to the text that is hashed. Throws `password_invalid`. */
export function parseNewPassword(text: string): string {
  const password = foldPassword(text);
  if (password === undefined) {
    throw new ServiceError(
      'password_invalid',
      `A password is text of at most ${PASSWORD_BYTES_MAX} bytes.`,
    );
  }
  if ([...password].length < PASSWORD_CHARACTERS_MIN) {
    throw new ServiceError(
      'password_invalid',
      `A password has at least ${PASSWORD_CHARACTERS_MIN} characters.`,
    );
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
