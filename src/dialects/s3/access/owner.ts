import { hash } from 'node:crypto';
import type { AccountId } from '../../../core/ids.ts';
import { type Xml, xmlElement, xmlText } from '../../../kit/xml/xml-format.ts';

/** The account as S3 names owners: 64 hex digits that tell nothing of the account's id. */
export function ownerIdOf(accountId: AccountId): string {
  return hash('sha256', `pinfold owner ${accountId}`, 'hex');
}

/** `<Owner>` or `<Initiator>`: the same account, whoever of it acted. */
export function ownerElement(
  name: 'Owner' | 'Initiator',
  owner: { readonly accountId: AccountId; readonly slug: string },
): Xml {
  return xmlElement(
    name,
    xmlText('ID', ownerIdOf(owner.accountId)),
    xmlText('DisplayName', owner.slug),
  );
}
