/** UUIDs (RFC 9562): version 7, sorted by the time they were made, and version 4, all chance. */

/** How many random bytes a UUID v7 takes. */
export const UUID_RANDOM_BYTES = 10;

const TIME_MS_MAX = 2 ** 48;

/** The text of a UUID v7 made of milliseconds since the epoch and ten random bytes. */
export function uuidV7(timeMs: number, random: Uint8Array): string {
  if (random.length !== UUID_RANDOM_BYTES) throw new RangeError('A UUID v7 takes 10 random bytes.');
  if (!Number.isSafeInteger(timeMs) || timeMs < 0 || timeMs >= TIME_MS_MAX) {
    throw new RangeError('A UUID v7 takes milliseconds since the epoch.');
  }
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(timeMs, 0, 6);
  bytes.set(random, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return textOf(bytes);
}

/** How many random bytes a UUID v4 takes. */
export const UUID_V4_RANDOM_BYTES = 16;

/** The text of a UUID v4 made of sixteen random bytes. */
export function uuidV4(random: Uint8Array): string {
  if (random.length !== UUID_V4_RANDOM_BYTES) {
    throw new RangeError('A UUID v4 takes 16 random bytes.');
  }
  const bytes = Buffer.from(random);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return textOf(bytes);
}

function textOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

/** Whether `text` is a UUID of version 7 in lower case. */
export function isUuidV7(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text);
}
