/** What a protocol gives the load generator: finished bytes to send, and what must come back. */
import type { BodyPattern } from '../load/body-pattern.ts';

export type RequestSource = {
  /** The status that every answer must have. */
  readonly status: number;
  /** HEAD: the length is said, but no body follows. */
  readonly answersWithoutBody: boolean;
  /** Body bytes that one request sends. */
  readonly sentBodyBytes: number;
  /** As many requests as were readied before the clock started. */
  readonly requestsMax: number;
  /** What answers hold, where that is compared. */
  readonly answerPattern: BodyPattern | undefined;
  /** A lane belongs to one connection, which has one request under way at a time. */
  readonly openLane: () => Lane;
};

export type Lane = {
  /**
   * Readies request `index` of the run in the lane's buffers, which stay as they are until the next
   * call.
   */
  readonly next: (index: number) => Exchange;
};

/** Reused by its lane. */
export type Exchange = {
  readonly pieces: readonly Buffer[];
  /** The object that the request is about. */
  readonly number: number;
  /** The content-length that the answer must have; undefined: any. */
  readonly answerBytes: number | undefined;
};
