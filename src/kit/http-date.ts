/**
 * Dates as HTTP writes them (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`, and the two
 * forms of old. `Date.parse` takes far more for a date: `garbage 5` is a day in May to it.
 */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const TIME = '(?<hours>\\d\\d):(?<minutes>\\d\\d):(?<seconds>\\d\\d)';
const FORMS = [
  new RegExp(`^[A-Z][a-z]{2}, (?<day>\\d\\d) (?<month>[A-Z][a-z]{2}) (?<year>\\d{4}) ${TIME} GMT$`),
  new RegExp(
    `^[A-Z][a-z]{5,8}, (?<day>\\d\\d)-(?<month>[A-Z][a-z]{2})-(?<year>\\d\\d) ${TIME} GMT$`,
  ),
  new RegExp(`^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \\d]\\d) ${TIME} (?<year>\\d{4})$`),
];

/** Milliseconds since the epoch, of whole seconds; `undefined` for what is no date of HTTP. */
export function parseHttpDate(text: string): number | undefined {
  const trimmed = text.trim();
  for (const form of FORMS) {
    const groups = form.exec(trimmed)?.groups;
    if (groups !== undefined) return timeOf(groups);
  }
  return undefined;
}

function timeOf(groups: Readonly<Record<string, string | undefined>>): number | undefined {
  const part = (name: string) => Number(groups[name]);
  const month = MONTHS.indexOf(groups['month'] ?? '');
  const at = new Date(
    Date.UTC(fullYear(groups['year'] ?? ''), month, part('day'), part('hours'), part('minutes')),
  );
  // 23:59:60 is a leap second; what is beyond the month or the day is no date.
  const isDate = month >= 0 && at.getUTCMonth() === month && at.getUTCDate() === part('day');
  const isTime = part('hours') < 24 && part('minutes') < 60 && part('seconds') <= 60;
  return isDate && isTime ? at.getTime() + part('seconds') * 1000 : undefined;
}

/** Two digits are of this century up to 69, as POSIX reads them; nothing writes them today. */
function fullYear(text: string): number {
  const year = Number(text);
  if (text.length === 4) return year;
  return year < 70 ? 2000 + year : 1900 + year;
}
