/** The admin socket's calls about S3 keys. */
import { Type } from 'typebox';
import type { ApiServer } from '../../server/schema/schema-kit.ts';
import type { Administration } from './administration.ts';
import {
  CreatedS3KeyDocument,
  NewS3KeyDocument,
  RevokedS3KeyDocument,
  S3KeyListDocument,
} from './documents.ts';

const NameParams = Type.Object({ account: Type.String({ minLength: 1 }) });
const KeyParams = Type.Object({ access_key_id: Type.String({ minLength: 1 }) });

export function addS3Keys(routes: ApiServer, administration: Administration): void {
  const path = '/admin/v1/accounts/:account/s3-keys';
  routes.post(
    path,
    {
      schema: {
        params: NameParams,
        body: NewS3KeyDocument,
        response: { 201: CreatedS3KeyDocument },
      },
    },
    async ({ params, body }, reply) => {
      reply.code(201);
      return administration.createS3Key(params.account, body);
    },
  );
  routes.get(
    path,
    { schema: { params: NameParams, response: { 200: S3KeyListDocument } } },
    ({ params }) => administration.listS3Keys(params.account),
  );
  routes.delete(
    '/admin/v1/s3-keys/:access_key_id',
    { schema: { params: KeyParams, response: { 200: RevokedS3KeyDocument } } },
    ({ params }) => administration.revokeS3Key(params.access_key_id),
  );
}
