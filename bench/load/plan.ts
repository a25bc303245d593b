/** What the driver tells the load generator, and what it hears back. All of it travels as JSON. */

export type Action = 'put' | 'get' | 'head' | 'delete' | 'list' | 'list-delimiter';

/** How requests are written, one module each in `protocols/`, and by whose right they are made. */
export type Access = StaticAccess | FilesAccess | S3Access;

export type StaticAccess = { readonly kind: 'static' };

export type FilesAccess = { readonly kind: 'files'; readonly appKey: string };

export type S3Access = {
  readonly kind: 's3';
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secret: string;
  readonly region: string;
};

/** Objects are numbered; a number makes the object's name and its bytes. */
export type ObjectRange = {
  /** What stands before the eight characters of the number in a name. */
  readonly prefix: string;
  /** So many of these characters name a folder: a slash follows them. */
  readonly folderDigits: number;
  readonly first: number;
  /** A power of two when requests go round in them; the end for actions that use each once. */
  readonly count: number;
};

/** A page of a listing whose answer is known from before the clock started. */
export type ListPage = { readonly cursor: string | undefined; readonly answerBytes: number };

export type Plan = {
  readonly host: string;
  readonly port: number;
  readonly access: Access;
  readonly action: Action;
  /** Whether the hash of an uploaded body is signed; where nothing is signed, it says nothing. */
  readonly payload: 'signed' | 'unsigned';
  readonly connections: number;
  readonly sizeBytes: number;
  readonly objects: ObjectRange;
  readonly pages: readonly ListPage[];
  /** No request starts later; what is under way is waited for. */
  readonly runMs: number;
  /** No more than this many requests. */
  readonly requestsMax: number;
  /** Every so many answers are compared byte by byte. */
  readonly compareEvery: number;
};

export type LoadResult = {
  readonly requests: number;
  readonly seconds: number;
  readonly sentBodyBytes: number;
  readonly receivedBodyBytes: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** The generator's own processor time while the clock ran. */
  readonly cpuUs: number;
  readonly comparedAnswers: number;
  readonly failures: number;
  /** The first failures in words. */
  readonly failureTexts: readonly string[];
};

export type ToGenerator =
  | { readonly kind: 'prepare'; readonly plan: Plan }
  | { readonly kind: 'go' };

export type FromGenerator =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly result: LoadResult }
  | { readonly kind: 'failed'; readonly message: string };
