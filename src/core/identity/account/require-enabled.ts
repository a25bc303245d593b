import { ServiceError } from '../../errors.ts';
import type { Account } from './account.ts';

/** Throws `account_disabled`. */
export function requireEnabled(account: Pick<Account, 'disabledAt'>): void {
  if (account.disabledAt !== undefined) {
    throw new ServiceError('account_disabled', 'The account is disabled.');
  }
}
