/** A certificate chain and its private key, as servers take them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';

export type TlsPair = {
  readonly context: TlsContext;
  /** Of the certificate itself, not of those that vouch for it; milliseconds since the epoch. */
  readonly endsAtMs: number;
  /** SHA-256 of the certificate, in the form that browsers and openssl show. */
  readonly fingerprint: string;
};

/** For `createServer` and `setSecureContext`. */
export type TlsContext = {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2';
};

/** A certificate or a key that no server can use; the message is a sentence for people. */
export class TlsPairError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'TlsPairError';
  }
}

/** Reads both texts in PEM and holds them against each other; throws `TlsPairError`. */
export function parseTlsPair(texts: { readonly cert: string; readonly key: string }): TlsPair {
  const certificate = readCertificate(texts.cert);
  const key = readKey(texts.key);
  if (!certificate.checkPrivateKey(key)) {
    throw new TlsPairError('The TLS key is not that of the first certificate.');
  }
  const context: TlsContext = { ...texts, minVersion: 'TLSv1.2' };
  try {
    createSecureContext(context);
  } catch (error) {
    throw new TlsPairError(`The TLS certificate cannot be used (${reasonOf(error)}).`, error);
  }
  return {
    context,
    endsAtMs: certificate.validToDate.getTime(),
    fingerprint: certificate.fingerprint256,
  };
}

/** The first certificate, which is the server's own; others in the text vouch for it. */
function readCertificate(text: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (error) {
    throw new TlsPairError('The TLS certificate is no certificate in PEM.', error);
  }
}

function readKey(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    const needsPassphrase = text.includes('ENCRYPTED');
    const fault = needsPassphrase ? 'is encrypted' : 'is no private key in PEM';
    throw new TlsPairError(`The TLS key ${fault}.`, error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
}
