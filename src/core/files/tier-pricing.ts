/** What a tier costs and allows (files-api.md, `GET /getTierPricing`). */
import { TIERS, type Tier } from '../objects/object.ts';

export type PricePolicy = {
  readonly storageUsdcRawPerGbMonth: bigint;
  readonly egressUsdcRawPerGb: bigint;
  /** From `normal` to `enterprise`. */
  readonly tierMultipliers: readonly bigint[];
};

export type TierPrice = {
  readonly tier: Tier;
  /** Micro-USDC per GB (10^9 bytes) and month of 720 h at multiplier 1, and at the tier's. */
  readonly baseUsdcRaw: bigint;
  readonly currentUsdcRaw: bigint;
};

export function listTierPrices(prices: PricePolicy): readonly TierPrice[] {
  return TIERS.map((tier, index) => ({
    tier,
    baseUsdcRaw: prices.storageUsdcRawPerGbMonth,
    currentUsdcRaw: prices.storageUsdcRawPerGbMonth * (prices.tierMultipliers[index] ?? 1n),
  }));
}
