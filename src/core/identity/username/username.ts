/** Usernames: how they may look. */
import { ServiceError } from '../../errors.ts';
import { USERNAME_LENGTH_MAX, USERNAME_LENGTH_MIN } from '../../limits.ts';

/** Whether a text has the form of a username; capitals are kept, and do not count in comparing. */
export function isUsername(text: string): boolean {
  return (
    text.length >= USERNAME_LENGTH_MIN &&
    text.length <= USERNAME_LENGTH_MAX &&
    /^[A-Za-z0-9_-]+$/.test(text)
  );
}

/** Parses a new username; throws `username_invalid`. */
export function parseUsername(text: string): string {
  if (!isUsername(text)) {
    throw new ServiceError(
      'username_invalid',
      `A username has ${USERNAME_LENGTH_MIN} to ${USERNAME_LENGTH_MAX} letters of a-z, 0-9, _ and -.`,
    );
  }
  return text;
}
