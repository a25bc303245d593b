/** All that the use cases of files need, over memory engines: accounts with files, in any hands. */

import type { AccountId, TokenId } from '../../src/core/ids.ts';
import { samplePublication } from '../../src/core/ports/metadata/contract/samples.ts';
import type { Credential, Principal, Scope } from '../../src/core/principal.ts';
import { type IdentityWorld, openIdentityWorld, principalBy, signIn } from './identity-world.ts';
import { walletOf } from './wallets.ts';

export type FilesWorld = Awaited<ReturnType<typeof openFilesWorld>>;

export async function openFilesWorld() {
  const world = await openIdentityWorld();
  const open = async (name: string) =>
    await principalBy(world, (await signIn(world, walletOf(name))).accessToken);
  let blobId = 0;
  /** Puts a file under any name that a dialect may make; its size, unlike any other's, tells it. */
  const keep = async (owner: Principal, name: string): Promise<number> => {
    blobId += 1;
    const account = await accountOf(world, owner.accountId);
    const sample = { key: name, blobId, sizeBytes: blobId };
    await world.metadata.publishObject(samplePublication(account, sample));
    return sample.sizeBytes;
  };
  const quota = { freeStorageBytes: 1_000_000n, freeEgressBytes: 0n };
  return { ...world, quota, ann: await open('ann'), bob: await open('bob'), keep };
}

async function accountOf({ metadata }: IdentityWorld, accountId: AccountId) {
  const account = await metadata.findAccount(accountId);
  if (account === undefined) throw new Error(`There is no account ${accountId}.`);
  return account;
}

/** The owner's account in the hands of who has a token of these scopes. */
export function byToken(owner: Principal, scopes: readonly Scope[]): Principal {
  const credential: Credential = {
    kind: 'token',
    tokenId: 'token' as TokenId,
    scopes: new Set(scopes),
  };
  return { ...owner, credential };
}
