/**
 * A time as documents of S3 have it: ISO 8601 in whole seconds, `.000Z`. It is then the time that
 * `Last-Modified` says, and clients that compare a listed time with one of a HEAD, or with a file's
 * (`aws s3 sync --exact-timestamps`), find the same (contracts/s3.md, Corrections).
 */
export function xmlTime(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, -5)}.000Z`;
}
