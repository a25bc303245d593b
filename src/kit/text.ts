/** Text and its bytes. */

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Length in bytes of `text` as UTF-8. */
export function bytesOfUtf8(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Whether `text` holds no lone surrogate, that is, whether UTF-8 can say it. */
export function isWellFormedText(text: string): boolean {
  return text.isWellFormed();
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes UTF-8, or answers `undefined` when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
