/** Username accounts, for command-line clients. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { changePassword } from '../../core/identity/username/change-password.ts';
import { createUsernameAccount } from '../../core/identity/username/create-username-account.ts';
import { logIn } from '../../core/identity/username/log-in.ts';
import { setPassword } from '../../core/identity/username/set-password.ts';
import { limitKey } from '../../core/ids.ts';
import { USERNAME_LENGTH_MAX } from '../../core/limits.ts';
import { limitRequest, principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import { type AccountDeps, withSignUps, withSite } from './deps.ts';
import {
  APP_KEY_EXAMPLE,
  departureOf,
  forbidCaching,
  namingField,
  originOf,
  TokenSetSchema,
  TokenSetWithMessageSchema,
  tokenSetBody,
  USER_ID_EXAMPLE,
} from './wire.ts';

const FIELDS = { username_invalid: 'username', password_invalid: 'new_password' } as const;

export function registerUsernameRoutes(server: ApiServer, deps: AccountDeps): void {
  registerUsers(server, deps);
  registerSetPassword(server, deps);
  registerLogin(server, deps);
  registerChangePassword(server, deps);
}

const NewPasswordSchema = Type.String({
  description: '8 to 128 characters; not the name of the account, and not a common one.',
});

function registerUsers(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'POST',
    url: '/users',
    config: { access: 'signIn' },
    schema: {
      operationId: 'createUser',
      tags: ['account'],
      summary: 'Open an account under a username',
      security: [],
      body: Type.Object(
        { username: Type.String({ description: '3 to 32 of a-z, 0-9, _ and -.' }) },
        { examples: [{ username: 'alice' }] },
      ),
      response: {
        200: Type.Object(
          {
            user_id: Type.String(),
            user_app_key: Type.String({ description: 'The permanent key of the account.' }),
            solana_pubkey: Type.String({ description: 'Empty until a wallet is linked.' }),
          },
          {
            examples: [
              { user_id: USER_ID_EXAMPLE, user_app_key: APP_KEY_EXAMPLE, solana_pubkey: '' },
            ],
          },
        ),
        ...errorResponses(400, 403, 409, 429),
      },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const { username } = request.body;
      const { account, appKey } = await namingField(FIELDS, () =>
        createUsernameAccount(withSignUps(deps, request), { username }),
      );
      return {
        user_id: account.accountId,
        user_app_key: appKey,
        solana_pubkey: account.wallet ?? '',
      };
    },
  });
}

function registerSetPassword(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'POST',
    url: '/auth/set-password',
    config: { access: 'signIn' },
    schema: {
      operationId: 'setPassword',
      tags: ['account'],
      summary: 'Set the first password of an account and sign in',
      description:
        'The app key in the body is the proof. All sessions that stood end. Who has a password changes it by `changePassword`.',
      security: [],
      body: Type.Object(
        {
          user_id: Type.String(),
          user_app_key: Type.String(),
          new_password: NewPasswordSchema,
        },
        {
          examples: [
            {
              user_id: USER_ID_EXAMPLE,
              user_app_key: APP_KEY_EXAMPLE,
              new_password: 'correct horse battery staple',
            },
          ],
        },
      ),
      response: { 200: TokenSetWithMessageSchema, ...errorResponses(400, 401, 403, 409, 429) },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const { user_id: accountId, user_app_key: appKey, new_password: newPassword } = request.body;
      const tokens = await namingField(FIELDS, () =>
        setPassword(
          withSite(deps),
          { accountId, appKey, newPassword, origin: originOf(request) },
          { signal: departureOf(reply) },
        ),
      );
      return { ...tokenSetBody(tokens), message: 'The password is set.' };
    },
  });
}

function registerLogin(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'POST',
    url: '/auth/login',
    config: { access: 'signIn' },
    schema: {
      operationId: 'login',
      tags: ['account'],
      summary: 'Sign in with username and password',
      security: [],
      body: Type.Object(
        { username: Type.String(), password: Type.String() },
        { examples: [{ username: 'alice', password: 'correct horse battery staple' }] },
      ),
      response: { 200: TokenSetSchema, ...errorResponses(400, 401, 403, 429) },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const { username, password } = request.body;
      await limitTries(deps, request, reply, username.slice(0, USERNAME_LENGTH_MAX).toLowerCase());
      const tokens = await logIn(
        withSite(deps),
        { username, password, origin: originOf(request) },
        { signal: departureOf(reply) },
      );
      return tokenSetBody(tokens);
    },
  });
}

function registerChangePassword(server: ApiServer, deps: AccountDeps): void {
  server.route({
    method: 'POST',
    url: '/auth/change-password',
    config: { access: 'account' },
    schema: {
      operationId: 'changePassword',
      tags: ['account'],
      summary: 'Change the password; all other sessions end',
      description: 'Takes a session. A wrong current password is 403 and counts as a try.',
      body: Type.Object(
        { current_password: Type.String(), new_password: NewPasswordSchema },
        {
          examples: [
            {
              current_password: 'correct horse battery staple',
              new_password: 'wrong donkey fuel cell paperclip',
            },
          ],
        },
      ),
      response: { 200: TokenSetSchema, ...errorResponses(400, 401, 403, 429) },
    },
    handler: async (request, reply) => {
      forbidCaching(reply);
      const principal = principalOf(request);
      const { current_password: currentPassword, new_password: newPassword } = request.body;
      await limitTries(deps, request, reply, principal.accountId);
      const tokens = await namingField(FIELDS, () =>
        changePassword(
          withSite(deps),
          { principal, currentPassword, newPassword },
          { signal: departureOf(reply) },
        ),
      );
      return tokenSetBody(tokens);
    },
  });
}

/** Tries are counted by name and address, before it is known whether the name exists. */
async function limitTries(
  deps: AccountDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  name: string,
): Promise<void> {
  const key = limitKey({ name: `account ${name}`, address: request.clientAddress });
  await limitRequest(deps, reply, 'password', key);
}
