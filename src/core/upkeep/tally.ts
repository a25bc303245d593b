/**
 * Counts by number, for many numbers that are mostly near each other: a byte each, in pages, with
 * the few counts that pass a byte beside them. Ten million blobs take some ten MiB.
 */
const PAGE = 256;
const BYTE_MAX = 255;

export class Tally {
  readonly #pages = new Map<number, Uint8Array>();
  readonly #large = new Map<number, number>();

  add(number: number): void {
    const pageNumber = Math.floor(number / PAGE);
    let page = this.#pages.get(pageNumber);
    if (page === undefined) {
      page = new Uint8Array(PAGE);
      this.#pages.set(pageNumber, page);
    }
    const at = number % PAGE;
    const count = page[at] ?? 0;
    if (count < BYTE_MAX) page[at] = count + 1;
    else this.#large.set(number, (this.#large.get(number) ?? BYTE_MAX) + 1);
  }

  count(number: number): number {
    const large = this.#large.get(number);
    if (large !== undefined) return large;
    return this.#pages.get(Math.floor(number / PAGE))?.[number % PAGE] ?? 0;
  }
}
