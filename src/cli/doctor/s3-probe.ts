/**
 * Signed requests to the S3 gateway by way of whatever stands before it. One that is signed wrongly
 * on purpose comes back with the canonical request as the server got it: an echo of what arrived.
 */
import { createHash } from 'node:crypto';
import { canonicalRequest } from '../../kit/sigv4/canonical-request.ts';
import { encodePath, encodeQueryPart } from '../../kit/sigv4/percent.ts';
import { presignUrl } from '../../kit/sigv4/presign-url.ts';
import { type Signer, signRequest } from '../../kit/sigv4/sign-request.ts';
import { readXml } from '../../kit/xml/read-xml.ts';
import { XmlError } from '../../kit/xml/xml-error.ts';
import { type Answered, exchange, type Outcome, type RawRequest, type Site } from './exchange.ts';

export type S3Subject = {
  readonly accessKeyId: string;
  readonly secret: string;
  readonly region: string;
  readonly bucket: string;
  /** What the keys of the objects that may be written begin with. */
  readonly prefix: string;
};

export type S3Request = {
  readonly method: string;
  /** Percent-encoded, after the bucket: `/key`; `''` asks the bucket. */
  readonly rawKey?: string;
  readonly rawQuery?: string;
  /** Signed with the request, all of them. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A flat list that is sent, and not signed. */
  readonly unsigned?: readonly string[];
  readonly body?: Uint8Array;
  readonly payloadHash?: string;
  readonly how?: RawRequest['how'];
};

/** The parts of a canonical request. */
export type Canonical = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** By lower-case name; a header that did not arrive is `''`. */
  readonly headers: ReadonlyMap<string, string>;
};

export type Echo =
  | { readonly kind: 'echo'; readonly sent: Canonical; readonly arrived: Canonical }
  | { readonly kind: 'none'; readonly says: string };

/** What every answer of the gateway bears, and no proxy's own answer does. */
const HOST_ID = 'pinfold';
const PRESIGNED_SECONDS = 300;

export class S3Probe {
  readonly site: Site;
  readonly subject: S3Subject;
  readonly #signer: Signer;
  /** By how much the server's clock is ahead; requests are signed by it. */
  #aheadMs = 0;

  constructor(site: Site, subject: S3Subject) {
    this.site = site;
    this.subject = subject;
    const { accessKeyId, secret, region } = subject;
    this.#signer = { accessKeyId, secret, region, service: 's3' };
  }

  get host(): string {
    return this.site.origin.replace(/^https?:\/\//, '');
  }

  /** The encoded key of an object that may be written. */
  keyOf(name: string): string {
    return `/${encodePath(`${this.subject.prefix}${name}`)}`;
  }

  /** From here on requests are signed by the server's clock, so that others can be looked at. */
  followClock(serverMs: number): void {
    this.#aheadMs = serverMs - this.site.clock.now();
  }

  async send(request: S3Request): Promise<Outcome> {
    return await exchange(this.site, this.#sign(request).raw);
  }

  /** With a signature that is wrong, so that nothing is ever stored. */
  async sendSpoiled(request: S3Request): Promise<Outcome> {
    return await exchange(this.site, spoiled(this.#sign(request).raw));
  }

  /** Answers what arrived of `request`, which changes nothing on the server. */
  async echo(request: S3Request): Promise<Echo> {
    const { raw, canonical } = this.#sign(request);
    const outcome = await exchange(this.site, spoiled(raw));
    if (outcome.kind !== 'answered') return { kind: 'none', says: sayOutcome(outcome) };
    const bytes = isOurs(outcome) ? elementOf(outcome.bytes, 'CanonicalRequestBytes') : undefined;
    if (bytes === undefined) return { kind: 'none', says: sayOutcome(outcome) };
    const arrived = Buffer.from(bytes.replaceAll(' ', ''), 'hex').toString('latin1');
    return { kind: 'echo', sent: partsOf(canonical), arrived: partsOf(arrived) };
  }

  /** Asks for an object by a URL that carries its signature. */
  async sendPresigned(rawKey: string): Promise<Outcome> {
    const rawPath = `/${this.subject.bucket}${rawKey}`;
    const url = presignUrl(
      this.#signer,
      { method: 'GET', origin: this.site.origin, rawPath, expiresSeconds: PRESIGNED_SECONDS },
      { atMs: this.#now() },
    );
    const path = url.slice(this.site.origin.length);
    return await exchange(this.site, { method: 'GET', path, headers: ['Host', this.host] });
  }

  /** As anybody who knows the address. */
  async sendAnonymous(rawKey: string): Promise<Outcome> {
    const path = `/${this.subject.bucket}${rawKey}`;
    return await exchange(this.site, { method: 'GET', path, headers: ['Host', this.host] });
  }

  #now(): number {
    return this.site.clock.now() + this.#aheadMs;
  }

  #sign(request: S3Request): { readonly raw: RawRequest; readonly canonical: string } {
    const { method, rawKey = '', rawQuery = '', headers = {}, unsigned = [], body, how } = request;
    const rawPath = `/${this.subject.bucket}${rawKey}`;
    const payloadHash = request.payloadHash ?? hashOf(body);
    const rawHeaders = ['Host', this.host, ...Object.entries(headers).flat()];
    const toSign = { method, rawPath, rawQuery, payloadHash };
    const signed = signRequest(
      this.#signer,
      { ...toSign, rawHeaders },
      { atMs: this.#now() },
    ).rawHeaders;
    const named = signed.filter((name, at) => at % 2 === 0 && name !== 'Authorization');
    const signedHeaders = [...new Set(named.map((name) => name.toLowerCase()))].sort();
    const canonical = canonicalRequest({
      ...{ ...toSign, rawHeaders: signed, signedHeaders, isPresigned: false },
    });
    const length = body === undefined ? [] : ['Content-Length', `${body.length}`];
    const isFramed = unsigned.some((name) => /^(?:content-length|transfer-encoding)$/i.test(name));
    const raw: RawRequest = {
      method,
      path: rawQuery === '' ? rawPath : `${rawPath}?${rawQuery}`,
      headers: [...signed, ...unsigned, ...(isFramed ? [] : length)],
      ...(body === undefined ? {} : { body }),
      ...(how === undefined ? {} : { how }),
    };
    return { raw, canonical };
  }
}

/** `a=b` of names and values that are not encoded yet. */
export function queryOf(pairs: readonly (readonly [name: string, value: string])[]): string {
  return pairs
    .map(([name, value]) => `${encodeQueryPart(name)}=${encodeQueryPart(value)}`)
    .join('&');
}

/** Whether the gateway itself answered, not something before it. */
export function isOurs({ headers }: Answered): boolean {
  return headers['x-amz-id-2'] === HOST_ID;
}

/** The `Code` of an error of the gateway. */
export function codeOf(answer: Answered): string | undefined {
  return elementOf(answer.bytes, 'Code');
}

/** The text of an element directly in an error document. */
export function elementOf(bytes: Buffer, name: string): string | undefined {
  try {
    return readXml(bytes).elements.find((element) => element.name === name)?.text;
  } catch (error) {
    if (error instanceof XmlError) return undefined;
    throw error;
  }
}

/** An outcome that was not hoped for, as a clause. */
export function sayOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'broken':
      return outcome.says;
    case 'continued':
      return 'a body was asked for and not sent';
    case 'answered': {
      const code = isOurs(outcome) ? codeOf(outcome) : undefined;
      if (code !== undefined) return `the gateway answers ${outcome.status} ${code}`;
      if (isOurs(outcome)) return `the gateway answers ${outcome.status}`;
      const server = outcome.headers['server'] ?? 'something';
      return `${server} answers ${outcome.status} in place of the gateway`;
    }
  }
}

function hashOf(body: Uint8Array | undefined): string {
  return createHash('sha256')
    .update(body ?? '')
    .digest('hex');
}

/** With a signature that cannot be right. */
function spoiled(raw: RawRequest): RawRequest {
  const headers = raw.headers.map((value, at) =>
    raw.headers[at - 1] === 'Authorization'
      ? value.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
      : value,
  );
  return { ...raw, headers };
}

function partsOf(canonical: string): Canonical {
  const [method = '', path = '', query = '', ...rest] = canonical.split('\n');
  // The list of names and the hash of the body come last.
  const lines = rest.slice(0, -2);
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon), line.slice(colon + 1)] as const;
    }),
  );
  return { method, path, query, headers };
}
