/** One request and its answer, as the operations see them. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { ObjectKey } from '../../../core/ids.ts';
import type { Bucket } from '../../../core/objects/buckets/bucket.ts';
import type { Shell } from '../../../server/listener/shell.ts';
import type { Caller } from '../access/caller.ts';
import type { OperationName } from '../operations/operation-table.ts';
import type { RequestHead } from './request-head.ts';

export type Exchange = {
  readonly requestId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly head: RequestHead;
  /** Headers that every answer to this request bears: CORS, the request's names. */
  readonly baseHeaders: OutgoingHttpHeaders;
  /** Names and patterns of headers that the asking page may read; empty where no page asks. */
  readonly exposed: readonly string[];
  /** Lets a sender that waits for it send its body; does nothing for others. */
  readonly sendContinue: () => void;
  /** How bodies are watched, and where small ones are gathered. */
  readonly shell: Pick<Shell, 'watch' | 'memory' | 'clients'>;
  /** Whether the sender waits for that; then all is checked before it sends. */
  readonly isExpectingContinue: boolean;
};

/** What an operation on a bucket or an object gets: all that had to be known first is. */
export type Call = Exchange & {
  readonly operation: OperationName;
  readonly caller: Caller;
  readonly bucket: Bucket;
};

/** What an operation on an object gets. */
export type ObjectCall = Call & { readonly key: ObjectKey };

/** What an operation on the service gets. */
export type ServiceCall = Exchange & {
  readonly operation: OperationName;
  readonly caller: Caller;
};
