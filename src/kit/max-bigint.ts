/** `Math.max` for what is counted in bigints. */
export function maxBigint(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
