import { ServiceError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Account } from './account.ts';

/** The account with this id; throws `account_not_found`. */
export async function getAccount(
  metadata: Pick<AccountReads, 'findAccount'>,
  accountId: AccountId,
): Promise<Account> {
  const account = await metadata.findAccount(accountId);
  if (account === undefined) {
    throw new ServiceError('account_not_found', 'There is no such account.');
  }
  return account;
}
