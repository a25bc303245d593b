/** How far a long operation on the whole store is. */

/** What is gone through, in order: each step has its own count. */
export type UpkeepStep =
  /** Rows of the metadata, counted one by one. */
  | 'rows'
  /** Bytes of the metadata file. */
  | 'metadata'
  /** Bytes of blobs. */
  | 'blobs'
  /** Bytes of segments. */
  | 'segments'
  /** What the blob store keeps, counted one by one. */
  | 'kept';

export type UpkeepProgress = {
  readonly step: UpkeepStep;
  readonly done: number;
  /** `undefined` while nobody knows. */
  readonly total: number | undefined;
};

export type UpkeepOptions = {
  readonly signal: AbortSignal;
  /** Called often; whoever shows it chooses how often to. */
  readonly onProgress: (progress: UpkeepProgress) => void;
};
