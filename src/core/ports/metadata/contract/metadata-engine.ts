/** What the contract suites run against. */

import type { Metadata } from '../metadata.ts';
import type { Alternation } from './alternation.ts';

/** One store of an engine under test. */
export type MetadataStore = AsyncDisposable & { readonly metadata: Metadata };

export type MetadataEngine = {
  readonly name: string;
  /** Opens an empty store; every test uses one of its own. */
  open(): Promise<MetadataStore>;
  /**
   * Opens a store once more beside the first, as after a killed process, and answers the second;
   * absent for engines whose state ends with them. Disposing of the store closes both.
   */
  readonly reopen?: (store: MetadataStore) => Promise<Metadata>;
  /**
   * Runs `alternate` over the same store on a connection of its own, beside which the store's
   * reads can come at any point; absent for engines that have no other connection.
   */
  readonly alternateElsewhere?: (store: MetadataStore, alternation: Alternation) => Promise<void>;
};
