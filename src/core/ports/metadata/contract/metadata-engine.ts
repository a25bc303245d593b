/** What the contract suites run against. */
import type { Metadata } from '../metadata.ts';

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
};
