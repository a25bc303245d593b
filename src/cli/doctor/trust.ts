/** Whether clients will trust what a host says it is. */
import { connect, getCACertificates, type PeerCertificate } from 'node:tls';
import { type Finding, fails, ok, warns } from './check.ts';
import type { Site } from './exchange.ts';

const DAY_MS = 86_400_000;
/** Renewals are tried 30 days before the end, so that by then one has failed for weeks. */
const DAYS_LEFT_MIN = 14;
const CONNECT_MS_MAX = 20_000;

/** The authorities that this machine trusts, and `more`, in PEM. */
export function trustedAuthorities(more: readonly string[]): readonly string[] {
  return [...getCACertificates('default'), ...getCACertificates('system'), ...more];
}

/** Asks for the certificate of an `https:` origin. */
export async function checkCertificate(site: Site): Promise<Finding> {
  const { protocol, hostname } = new URL(site.origin);
  if (protocol === 'http:') {
    const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
    if (isHere) return ok('there is no TLS, which stays within this machine');
    return warns(
      'there is no TLS: whoever is on the way reads and changes everything',
      'Give the proxy a certificate, or set PINFOLD_TLS_CERT_FILE and PINFOLD_TLS_KEY_FILE.',
    );
  }
  const seen = await seeCertificate(site);
  if (seen.kind === 'broken') {
    const remedy = 'Let the host answer TLS 1.2 or newer on this port.';
    return fails(`TLS does not begin: ${seen.says}`, remedy);
  }
  if (seen.fault !== undefined) {
    const [says, remedy] = FAULTS[seen.fault] ?? [`clients do not trust it (${seen.fault})`, OTHER];
    return fails(says, remedy);
  }
  const endsAt = Date.parse(seen.certificate.valid_to);
  const days = Math.floor((endsAt - site.clock.now()) / DAY_MS);
  if (days < DAYS_LEFT_MIN) {
    return warns(`it ends in ${days} days`, 'Look at why it has not been renewed.');
  }
  return ok(`trusted, and good for ${days} days`);
}

const OTHER = 'Let the host present a certificate that clients trust.';

type Words = readonly [says: string, remedy: string];

const OWN_AUTHORITY: Words = [
  'its authority is known to no client',
  'Use a certificate of a public authority; if your clients know yours, name it with --ca-file.',
];
const NO_CHAIN: Words = [
  'the chain up to an authority that clients know is not whole',
  'Let the host send the whole chain (fullchain.pem); an authority of your own is named with --ca-file.',
];

const FAULTS: Readonly<Record<string, Words>> = {
  CERT_HAS_EXPIRED: ['it has expired', 'Renew it, and have the proxy load the new one.'],
  CERT_NOT_YET_VALID: ['it is not valid yet', 'Look at the clocks of both machines.'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'it is for other host names than this one',
    'Add this host name to the certificate, or have the proxy choose the right one by SNI.',
  ],
  DEPTH_ZERO_SELF_SIGNED_CERT: OWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: OWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NO_CHAIN,
  UNABLE_TO_GET_ISSUER_CERT: NO_CHAIN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NO_CHAIN,
};

type Seen =
  | {
      readonly kind: 'seen';
      readonly certificate: PeerCertificate;
      readonly fault: string | undefined;
    }
  | { readonly kind: 'broken'; readonly says: string };

async function seeCertificate({ origin, authorities = [] }: Site): Promise<Seen> {
  const { hostname, port } = new URL(origin);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isName = !/^[\d.]+$|:/.test(host);
  const { promise, resolve } = Promise.withResolvers<Seen>();
  const socket = connect({
    host,
    port: port === '' ? 443 : Number(port),
    ca: [...authorities],
    rejectUnauthorized: false,
    timeout: CONNECT_MS_MAX,
    ...(isName ? { servername: host } : {}),
  });
  socket.once('timeout', () => resolve({ kind: 'broken', says: 'nothing came back' }));
  socket.once('error', (error) => resolve({ kind: 'broken', says: error.message }));
  socket.once('secureConnect', () => {
    const { authorizationError } = socket;
    // NOTE: it is a code, whatever the types say of it.
    const fault = socket.authorized ? undefined : String(authorizationError);
    resolve({ kind: 'seen', certificate: socket.getPeerCertificate(), fault });
  });
  const seen = await promise;
  socket.destroy();
  return seen;
}
