/** Proves what each kind of credential may do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  openIdentityWorld,
  principalBy,
  refusedAs,
  signIn,
} from '../../../../tests/world/identity-world.ts';
import { isServiceError } from '../../errors.ts';
import type { AccountId, TokenId } from '../../ids.ts';
import { type Credential, type Principal, SCOPES, type Scope } from '../../principal.ts';
import { type Action, authorize, isAuthorized } from './authorize.ts';

const world = await openIdentityWorld();
const owner = await principalBy(world, (await signIn(world)).accessToken);

const holding = (...scopes: Scope[]): Principal => ({
  ...owner,
  credential: { kind: 'token', tokenId: 't' as TokenId, scopes: new Set(scopes) },
});

const SCOPE_OF: Readonly<Partial<Record<Action, Scope>>> = {
  'files.read': 'files:read',
  'files.list': 'files:read',
  'links.read': 'files:read',
  'operations.read': 'files:read',
  'pins.read': 'files:read',
  'files.write': 'files:write',
  'links.write': 'files:write',
  'pins.write': 'files:write',
  'files.delete': 'files:delete',
  'links.delete': 'files:delete',
  'pins.delete': 'files:delete',
  'clusters.read': 'cluster:read',
  'account.read': 'account:read',
  'tokens.manage': 'tokens:write',
  's3_keys.manage': 's3:keys',
};

const OWNERS_ONLY: readonly Action[] = [
  'account.secrets',
  'account.write',
  'app_key.rotate',
  's3_keys.sign',
  'buckets.manage',
  'credits.use',
];

test('a token does what its scope allows, and nothing that another would', () => {
  for (const [name, scope] of Object.entries(SCOPE_OF)) {
    const action = name as Action;
    authorize(holding(scope), action);
    assert(isAuthorized(holding(scope), action));
    const others = SCOPES.filter((other) => other !== scope);
    assert(!isAuthorized(holding(...others), action));
    assert.throws(
      () => authorize(holding(...others), action),
      (error) => isServiceError(error, 'missing_scope') && error.details['required'] === scope,
    );
  }
});

test('what is for the owner alone no token does, whatever its scopes', () => {
  for (const action of OWNERS_ONLY) {
    assert.throws(
      () => authorize(holding(...SCOPES), action),
      (error) => isServiceError(error, 'missing_scope') && error.details['required'] === 'session',
    );
  }
});

test('any token may ask whose it is', () => {
  authorize(holding('cluster:read'), 'account.identify');
});

test('a session and the app key do everything with what is theirs', () => {
  const credentials: Credential[] = [owner.credential, { kind: 'appKey' }];
  for (const credential of credentials) {
    for (const action of [...Object.keys(SCOPE_OF), ...OWNERS_ONLY] as Action[]) {
      authorize({ ...owner, credential }, action, owner.accountId);
    }
  }
});

test("nobody touches what is another's, operators included", () => {
  const other = 'other' as AccountId;
  for (const principal of [owner, holding(...SCOPES), { ...owner, role: 'operator' as const }]) {
    assert.throws(() => authorize(principal, 'files.read', other), refusedAs('access_denied'));
  }
});

test('accounts are administered by operators, and not by their tokens', () => {
  const operator = { ...owner, role: 'operator' as const };
  authorize(operator, 'operator.accounts');
  assert(isAuthorized(operator, 'operator.accounts'));
  assert(!isAuthorized(owner, 'operator.accounts'));
  assert.throws(() => authorize(owner, 'operator.accounts'), refusedAs('access_denied'));
  assert.throws(
    () => authorize({ ...holding(...SCOPES), role: 'operator' }, 'operator.accounts'),
    refusedAs('missing_scope'),
  );
});
