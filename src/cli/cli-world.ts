/** What a command may touch, so that tests can run one without a process of its own. */

import type { Config } from '../config/config.ts';
import type { Environment } from '../config/env.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Random } from '../core/ports/random.ts';
import type { StoreFailure } from '../core/ports/store-failure.ts';
import type { UpkeepOptions } from '../core/ports/upkeep-progress.ts';
import type { Administration } from '../dialects/admin/administration.ts';
import type { Upkeep } from '../dialects/admin/upkeep.ts';
import type { RestoreDocument } from '../dialects/admin/upkeep-documents.ts';

export type Terminal = {
  /** For results: what a pipe should get. */
  readonly writeResult: (text: string) => void;
  /** For people: progress, notes, failures. */
  readonly writeNote: (text: string) => void;
  /** Whether notes may have colour. */
  readonly hasColor: boolean;
  /** Whether notes may be drawn over, as bars are; options of the commands stand above it. */
  readonly hasBars: boolean;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsedMs: () => number;
};

/** A running server. */
export type RunningServer = {
  readonly addresses: {
    readonly api: string;
    readonly s3: string;
    readonly metrics: string;
    readonly adminSocket: string;
  };
  /** Resolves when the process must end by itself, with the reason. */
  readonly failed: Promise<StoreFailure>;
  close(options: { readonly graceMs: number }): Promise<void>;
};

/** Time and chance, for what a command does by itself. */
export type Machine = { readonly clock: Clock; readonly random: Random };

/** The composition root's part for commands; loaded only by those that need it. */
export type Composition = {
  readonly machine: Machine;
  readonly composeServer: (options: { readonly config: Config }) => Promise<RunningServer>;
  /** Opens the store itself, and so fails while a server has it. */
  readonly composeAdministration: (options: {
    readonly config: Config;
  }) => Promise<Administration & AsyncDisposable>;
  /** The same for what takes long. */
  readonly composeUpkeep: (options: {
    readonly config: Config;
  }) => Promise<Upkeep & AsyncDisposable>;
  /** Restores a backup into an empty data directory and verifies what stands there then. */
  readonly restore: (
    config: Config,
    request: {
      readonly directory: string;
      readonly masterKeyFile: string | undefined;
    },
    options: UpkeepOptions,
  ) => Promise<RestoreDocument>;
};

export type CliWorld = {
  readonly environment: Environment;
  readonly workingDirectory: string;
  readonly terminal: Terminal;
  readonly loadComposition: () => Promise<Composition>;
  /**
   * Resolves at the first signal to stop. Without this call such a signal ends the process; after
   * it, only the second one does.
   */
  readonly untilStopped: () => Promise<void>;
};
