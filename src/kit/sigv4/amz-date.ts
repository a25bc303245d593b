const AMZ_DATE = /^\d{8}T\d{6}Z$/;

/**
 * The instant of `20260101T000000Z` in milliseconds; `undefined` for any other form, and for days
 * and hours that there are not.
 */
export function parseAmzDate(text: string): number | undefined {
  if (!AMZ_DATE.test(text)) return undefined;
  const year = Number(text.slice(0, 4));
  const day = Number(text.slice(6, 8));
  const hour = Number(text.slice(9, 11));
  const minute = Number(text.slice(11, 13));
  const second = Number(text.slice(13, 15));
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const ms = Date.UTC(year, Number(text.slice(4, 6)) - 1, day, hour, minute, second);
  const date = new Date(ms);
  // 30 February, and a month 13, become a day of the month or year after.
  return date.getUTCDate() === day && date.getUTCFullYear() === year ? ms : undefined;
}

/** The instant in UTC, its part of a second cut off. */
export function formatAmzDate(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}
