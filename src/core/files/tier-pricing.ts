/** What a tier costs (files-api.md, `GET /getTierPricing`). */
import { TIERS, type Tier } from '../objects/object.ts';

export type PricePolicy = {
  readonly storageUsdcRawPerGbMonth: bigint;
  readonly egressUsdcRawPerGb: bigint;
  /** From `normal` to `enterprise`, in thousandths. */
  readonly tierThousandths: readonly number[];
};

export type TierPrice = {
  readonly tier: Tier;
  /** By how much it multiplies the storage price; for display, money is never computed with it. */
  readonly multiplier: number;
};

export function listTierPrices(prices: PricePolicy): readonly TierPrice[] {
  return TIERS.map((tier) => ({ tier, multiplier: tierMultiplier(prices, tier) }));
}

export function tierMultiplier(prices: PricePolicy, tier: Tier): number {
  return (prices.tierThousandths[TIERS.indexOf(tier)] ?? 1000) / 1000;
}
