/** Following a public link: anyone may, who knows its hash and, where it has one, its password. */
import type { Keyring } from '../../kit/keyring.ts';
import { isSameSecret, macOfText } from '../../kit/secrets.ts';
import { ServiceError } from '../errors.ts';
import type { Account } from '../identity/account/account.ts';
import { requireEnabled } from '../identity/account/require-enabled.ts';
import { KEY_PURPOSES } from '../identity/key-purposes.ts';
import { LINK_COOKIE_LIFE_MS } from '../limits.ts';
import type { StoredObject } from '../objects/object.ts';
import type { Clock } from '../ports/clock.ts';
import type { MetadataReads } from '../ports/metadata/metadata.ts';
import type { PasswordHasher } from '../ports/password-hasher.ts';
import { linkNotFound, type PublicLink, parseLinkHash } from './public-link.ts';

export type OpenLinkDeps = {
  readonly metadata: Pick<MetadataReads, 'findLink' | 'findAccount' | 'findLinkedObject'>;
  readonly passwords: Pick<PasswordHasher, 'verify'>;
  readonly keyring: Keyring;
  readonly clock: Pick<Clock, 'now'>;
};

/** How a visitor shows that he may follow a link with a password. */
export type LinkProof =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'pass'; readonly pass: string };

export type OpenedLink = {
  readonly link: PublicLink;
  readonly account: Account;
  /** The file that the link serves when it is called: it may have moved meanwhile. */
  readonly find: () => Promise<StoredObject | undefined>;
};

/**
 * Throws `link_not_found` (also once its file is gone), `link_expired`, `account_disabled`,
 * `link_password_required`, `link_password_wrong`.
 */
export async function openLink(
  deps: OpenLinkDeps,
  input: { readonly hash: string; readonly proof: LinkProof },
): Promise<OpenedLink> {
  const link = await findLiveLink(deps, input.hash);
  const account = await deps.metadata.findAccount(link.accountId);
  if (account === undefined) throw linkNotFound();
  requireEnabled(account);
  await checkProof(deps, link, input.proof);
  return { link, account, find: () => deps.metadata.findLinkedObject(link.hash) };
}

async function findLiveLink(deps: OpenLinkDeps, hash: string): Promise<PublicLink> {
  const link = await deps.metadata.findLink(parseLinkHash(hash));
  if (link === undefined) throw linkNotFound();
  if (link.expiresAt !== undefined && link.expiresAt <= deps.clock.now()) {
    throw new ServiceError('link_expired', 'The link has expired.');
  }
  return link;
}

async function checkProof(deps: OpenLinkDeps, link: PublicLink, proof: LinkProof): Promise<void> {
  if (link.passwordHash === undefined) return;
  switch (proof.kind) {
    case 'none':
      break;
    case 'pass':
      if (isValidPass(deps, link, proof.pass)) return;
      break;
    case 'password':
      if (await isRight(deps, link, proof.password)) return;
      throw new ServiceError('link_password_wrong', 'The password is wrong.');
  }
  throw new ServiceError('link_password_required', 'The link has a password.');
}

/** Whoever tries it, it is work for the account that made the link. */
function isRight(deps: OpenLinkDeps, link: PublicLink, password: string): Promise<boolean> {
  return deps.passwords.verify(password, link.passwordHash, { owner: link.accountId });
}

/** A pass for the holder of the password: good for ten minutes, for this link and this password. */
export function issueLinkPass(deps: OpenLinkDeps, link: PublicLink): string {
  const { kid, key } = deps.keyring.newest(KEY_PURPOSES.linkPass);
  const expiresAt = deps.clock.now() + LINK_COOKIE_LIFE_MS;
  return `${kid}.${expiresAt}.${macOfText(key, passText(link, expiresAt))}`;
}

function isValidPass(deps: OpenLinkDeps, link: PublicLink, pass: string): boolean {
  const [kid = '', expires = '', mac = ''] = pass.split('.');
  const key = deps.keyring.find(KEY_PURPOSES.linkPass, kid)?.key;
  if (key === undefined) return false;
  const expiresAt = Number(expires);
  return (
    expiresAt > deps.clock.now() && isSameSecret(mac, macOfText(key, passText(link, expiresAt)))
  );
}

function passText(link: PublicLink, expiresAt: number): string {
  return `${link.hash}\n${expiresAt}\n${link.passwordHash}`;
}
