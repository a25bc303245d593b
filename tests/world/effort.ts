/** How long tests may try: `npm run test:long` sets more. */

/** `short` runs in a usual test run, `long` when the long one was asked for. */
export function runsOf({ short, long }: { readonly short: number; readonly long: number }): number {
  return process.env['PINFOLD_TEST_LONG'] ? long : short;
}
