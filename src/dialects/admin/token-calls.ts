/** The admin socket's calls about API tokens. */
import { Type } from 'typebox';
import type { ApiServer } from '../../server/schema/schema-kit.ts';
import type { Administration } from './administration.ts';
import {
  CreatedTokenDocument,
  NewTokenDocument,
  RevokedTokenDocument,
  TokenListDocument,
} from './documents.ts';

const NameParams = Type.Object({ account: Type.String({ minLength: 1 }) });
const TokenParams = Type.Object({
  account: Type.String({ minLength: 1 }),
  name: Type.String({ minLength: 1 }),
});

export function addTokens(routes: ApiServer, administration: Administration): void {
  const path = '/admin/v1/accounts/:account/tokens';
  routes.post(
    path,
    {
      schema: {
        params: NameParams,
        body: NewTokenDocument,
        response: { 201: CreatedTokenDocument },
      },
    },
    async ({ params, body }, reply) => {
      reply.code(201);
      return administration.createToken(params.account, body);
    },
  );
  routes.get(
    path,
    { schema: { params: NameParams, response: { 200: TokenListDocument } } },
    ({ params }) => administration.listTokens(params.account),
  );
  routes.delete(
    `${path}/:name`,
    { schema: { params: TokenParams, response: { 200: RevokedTokenDocument } } },
    ({ params }) => administration.revokeToken(params.account, params.name),
  );
}
