/** Signs S3 requests for one host and one moment, as quickly as many thousand of them need it. */
import { formatAmzDate } from '../../src/kit/sigv4/amz-date.ts';
import { formatCredential, formatScope } from '../../src/kit/sigv4/credential-scope.ts';
import { ALGORITHM, signature, stringToSign } from '../../src/kit/sigv4/sign.ts';
import { scopeOf } from '../../src/kit/sigv4/sign-request.ts';
import { deriveSigningKey, type SigningKey } from '../../src/kit/sigv4/signing-key.ts';
import type { S3Access } from '../load/plan.ts';

/** Characters of a signature, and of a hash that is not `UNSIGNED-PAYLOAD`. */
export const HEX_BYTES = 64;

export type S3Request = {
  readonly method: string;
  /** As on the request line; keys of the benchmarks need no escapes. */
  readonly path: string;
  /** In canonical form. */
  readonly query: string;
  readonly payloadHash: string;
};

const SIGNED_HEADERS = 'host;x-amz-content-sha256;x-amz-date';

export class S3Signer {
  readonly host: string;
  readonly amzDate: string;
  /** The Authorization header but for the signature, which comes last. */
  readonly authorizationStart: string;
  readonly #scope: string;
  readonly #key: SigningKey;

  constructor(access: S3Access, host: string) {
    this.host = host;
    // Servers take it for a quarter of an hour; every run has a signer of its own.
    this.amzDate = formatAmzDate(Date.now());
    const scope = scopeOf({ ...access, service: 's3' }, this.amzDate);
    this.#scope = formatScope(scope);
    this.#key = deriveSigningKey(scope, access.secret);
    this.authorizationStart =
      `${ALGORITHM} Credential=${formatCredential(scope)}, ` +
      `SignedHeaders=${SIGNED_HEADERS}, Signature=`;
  }

  sign({ method, path, query, payloadHash }: S3Request): string {
    const { amzDate } = this;
    const headers = `host:${this.host}\nx-amz-content-sha256:${payloadHash}\nx-amz-date:${amzDate}\n`;
    const canonical = `${method}\n${path}\n${query}\n${headers}\n${SIGNED_HEADERS}\n${payloadHash}`;
    return signature(this.#key, stringToSign({ amzDate, scope: this.#scope, canonical }));
  }

  /** The headers that `sign` signs, and its signature; `host` is sent by whoever connects. */
  headersOf(request: S3Request): Readonly<Record<string, string>> {
    return {
      'x-amz-date': this.amzDate,
      'x-amz-content-sha256': request.payloadHash,
      authorization: this.authorizationStart + this.sign(request),
    };
  }
}
