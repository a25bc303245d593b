/** Names of files in the native API: the keys that it makes. */
import { isServiceError, ServiceError } from '../errors.ts';
import { type ObjectKey, parseObjectKey } from '../ids.ts';

/**
 * Parses a name under which this API may create a file: no empty, `.` or `..` segment. Throws
 * `invalid_file_name`. Names that other dialects made are only parsed as keys (`parseStoredName`).
 */
export function parseNewName(text: string): ObjectKey {
  const key = parseStoredName(text);
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.' || segment === '..') {
      throw new ServiceError(
        'invalid_file_name',
        'A file name must not have empty, "." or ".." segments.',
      );
    }
  }
  return key;
}

/** Parses a name that may stand already, whoever made it; throws `invalid_file_name`. */
export function parseStoredName(text: string): ObjectKey {
  try {
    return parseObjectKey(text);
  } catch (error) {
    if (!isServiceError(error, 'invalid_key')) throw error;
    throw new ServiceError('invalid_file_name', error.message.replace('A key', 'A file name'), {
      cause: error,
    });
  }
}
