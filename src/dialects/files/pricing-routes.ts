/** What tiers cost, as published clients ask for it. */
import { Type } from 'typebox';
import { listTierPrices, tierMultiplier } from '../../core/files/tier-pricing.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { FilesDeps } from './deps.ts';

const TierPricingSchema = Type.Array(
  Type.Object({
    name: Type.String(),
    base_price: Type.Number({ description: 'The multiplier of the storage price.' }),
    current_price: Type.Number({ description: 'The same: prices do not move with the load.' }),
    concurrency: Type.Integer({ description: 'Uploads at once that we advise.' }),
    active_users: Type.Integer(),
    multipart_concurrency: Type.Integer(),
    chunk_size_mb: Type.Integer(),
  }),
  {
    examples: [
      [
        {
          name: 'priority',
          base_price: 2.5,
          current_price: 2.5,
          concurrency: 4,
          active_users: 0,
          multipart_concurrency: 4,
          chunk_size_mb: 8,
        },
      ],
    ],
  },
);

/**
 * What we advise a client that uploads in parts (notes on portals: 8 to 16 MiB, four at a time).
 * Published clients open as many uploads as `concurrency` says, so that it is never 0.
 */
const ADVICE = { concurrency: 4, multipart_concurrency: 4, chunk_size_mb: 8 } as const;

export function registerPricingRoutes(server: ApiServer, deps: FilesDeps): void {
  server.route({
    method: 'GET',
    url: '/getTierPricing',
    config: { access: 'public' },
    schema: {
      operationId: 'getTierPricing',
      tags: ['files'],
      summary: 'By how much each tier multiplies the storage price',
      security: [],
      response: { 200: TierPricingSchema, ...errorResponses(429) },
    },
    handler: async () =>
      listTierPrices(deps.prices).map(({ tier, multiplier }) => ({
        name: tier,
        base_price: multiplier,
        current_price: multiplier,
        // Tiers set the price only: none has a queue of its own, so none has a load to show.
        active_users: 0,
        ...ADVICE,
      })),
  });
  server.route({
    method: 'GET',
    url: '/getPriorityFee',
    config: { access: 'public' },
    schema: {
      operationId: 'getPriorityFee',
      tags: ['files'],
      summary: 'By how much the tier `priority` multiplies the storage price',
      security: [],
      response: {
        200: Type.Object(
          { priority_fee_per_gb: Type.Number() },
          { examples: [{ priority_fee_per_gb: 2.5 }] },
        ),
        ...errorResponses(429),
      },
    },
    handler: async () => ({ priority_fee_per_gb: tierMultiplier(deps.prices, 'priority') }),
  });
}
