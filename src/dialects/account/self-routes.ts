/** Who am I, and what an owner changes of the account. */
import type { Static } from 'typebox';
import { Type } from 'typebox';
import { changeSettings } from '../../core/identity/account/change-settings.ts';
import { rotateAppKey } from '../../core/identity/account/rotate-app-key.ts';
import { whoAmI } from '../../core/identity/account/who-am-i.ts';
import type { Principal } from '../../core/principal.ts';
import { principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { AccountDeps } from './deps.ts';
import {
  APP_KEY_EXAMPLE,
  forbidCaching,
  isoTime,
  USER_ID_EXAMPLE,
  WALLET_EXAMPLE,
} from './wire.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);

const DeterministicUrlsSchema = Type.Union(
  [Type.Literal('files'), Type.Literal('all'), Type.Literal('off')],
  {
    description:
      'Which files have a deterministic URL: those written by this API, all of the bucket, none.',
  },
);

const SelfSchema = Type.Object(
  {
    user_id: Type.String(),
    account: Type.String({ description: 'The public slug in deterministic URLs.' }),
    username: NullableText,
    email: NullableText,
    wallet_public_key: NullableText,
    user_app_key: Type.Optional(Type.String({ description: 'Not shown to scoped tokens.' })),
    bucket: Type.String({ description: 'The bucket that is the root of the files.' }),
    plan: Type.String(),
    account_state: Type.Enum(['active', 'disabled', 'frozen']),
    deterministic_urls: DeterministicUrlsSchema,
    created_at: Type.String(),
  },
  {
    examples: [
      {
        user_id: USER_ID_EXAMPLE,
        account: 'k4mzq7d2xw5a',
        username: 'alice',
        email: null,
        wallet_public_key: WALLET_EXAMPLE,
        user_app_key: APP_KEY_EXAMPLE,
        bucket: 'k4mzq7d2xw5a',
        plan: 'free',
        account_state: 'active',
        deterministic_urls: 'files',
        created_at: '2026-11-22T12:00:00.000Z',
      },
    ],
  },
);

export function registerSelfRoutes(server: ApiServer, deps: AccountDeps): void {
  registerWhoAmI(server, deps);
  registerSettings(server, deps);
  registerRotate(server, deps);
}

function registerWhoAmI(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'GET',
    url: '/user/me',
    config: { access: 'account' },
    schema: {
      operationId: 'whoAmI',
      tags: ['account'],
      summary: 'The account that the credential belongs to',
      response: { 200: SelfSchema, ...errorResponses(401, 403, 429) },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      return await selfBody(deps, principalOf(request));
    },
  });
}

function registerSettings(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'PATCH',
    url: '/user/me',
    config: { access: 'account' },
    schema: {
      operationId: 'changeSettings',
      tags: ['account'],
      summary: 'Change settings of the account',
      body: Type.Object(
        { deterministic_urls: Type.Optional(DeterministicUrlsSchema) },
        { examples: [{ deterministic_urls: 'off' }] },
      ),
      response: { 200: SelfSchema, ...errorResponses(400, 401, 403, 429) },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const principal = principalOf(request);
      const { deterministic_urls: deterministicUrls } = request.body;
      const settings = deterministicUrls === undefined ? {} : { deterministicUrls };
      await changeSettings(deps, { principal, settings });
      return await selfBody(deps, principal);
    },
  });
}

function registerRotate(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'POST',
    url: '/rotateAppKey',
    config: { access: 'account' },
    schema: {
      operationId: 'rotateAppKey',
      tags: ['account'],
      summary: 'Replace the app key; the old one is dead at once',
      response: {
        200: Type.Object(
          { user_id: Type.String(), new_user_app_key: Type.String() },
          { examples: [{ user_id: USER_ID_EXAMPLE, new_user_app_key: APP_KEY_EXAMPLE }] },
        ),
        ...errorResponses(401, 403, 429),
      },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const actor = principalOf(request);
      const { accountId } = actor;
      const { appKey } = await rotateAppKey(deps, { actor, accountId });
      return { user_id: accountId, new_user_app_key: appKey };
    },
  });
}

async function selfBody(
  deps: AccountDeps,
  principal: Principal,
): Promise<Static<typeof SelfSchema>> {
  const self = await whoAmI(deps, { principal });
  return {
    user_id: self.accountId,
    account: self.slug,
    username: self.username ?? null,
    email: self.email ?? null,
    wallet_public_key: self.wallet ?? null,
    ...(self.appKey === undefined ? {} : { user_app_key: self.appKey }),
    bucket: self.slug,
    plan: self.plan,
    account_state: self.isDisabled ? 'disabled' : 'active',
    deterministic_urls: self.deterministicUrls,
    created_at: isoTime(self.createdAt),
  };
}
