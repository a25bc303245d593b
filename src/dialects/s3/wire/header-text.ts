const NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** Latin1; anything else could never be given back. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether HTTP lets them stand in a header: a name in lower case, and a value in latin1 text. */
export function canStandInHeader(name: string, value: string): boolean {
  return NAME.test(name) && VALUE.test(value);
}
