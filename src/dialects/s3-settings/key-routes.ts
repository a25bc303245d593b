/** S3 keys: made, listed, revoked. */
import type { FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import { exportS3Key, S3_KEY_FORMATS } from '../../core/identity/s3-keys/export-s3-key.ts';
import {
  createS3Key,
  listS3Keys,
  type NamedS3Key,
  revokeS3Key,
} from '../../core/identity/s3-keys/s3-keys.ts';
import type { TimeMs } from '../../core/ids.ts';
import { principalOf } from '../../server/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema-kit.ts';
import type { S3SettingsDeps } from './deps.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);
const OptionalText = (description: string) =>
  Type.Optional(Type.Union([Type.String(), Type.Null()], { description }));

const KEY_EXAMPLE = {
  access_key_id: 'K4MZQ7D2XW5AEXAMPLE2',
  name: 'backup',
  read_only: false,
  bucket: null,
  prefix: null,
  created_at: '2026-11-22T12:00:00.000Z',
} as const;

const KEY_FIELDS = {
  access_key_id: Type.String(),
  name: NullableText,
  read_only: Type.Boolean(),
  bucket: Type.Union([Type.String(), Type.Null()], {
    description: 'The only bucket that it reaches; null: all, or one that is gone.',
  }),
  prefix: Type.Union([Type.String(), Type.Null()], {
    description: 'What the keys of objects that it reaches begin with.',
  }),
  created_at: Type.String(),
};

const NewKeySchema = Type.Object(
  {
    ...KEY_FIELDS,
    secret: Type.String({ description: 'Shown this once.' }),
    endpoint: Type.Optional(Type.String({ description: 'With `format=json`.' })),
    region: Type.Optional(Type.String({ description: 'With `format=json`.' })),
    default_bucket: Type.Optional(Type.String({ description: 'With `format=json`.' })),
  },
  {
    examples: [{ ...KEY_EXAMPLE, secret: 'EXAMPLEexampleEXAMPLEexampleEXAMPLE01234' }],
    'x-response-description': 'The key. Another `format` than `json` is answered as its text file.',
  },
);

const ListedKeySchema = Type.Object({
  ...KEY_FIELDS,
  last_used_at: NullableText,
  revoked_at: NullableText,
});

export function registerKeyRoutes(server: ApiServer, deps: S3SettingsDeps): void {
  registerCreateKey(server, deps);
  registerListKeys(server, deps);
  registerRevokeKey(server, deps);
}

function registerCreateKey(server: ApiServer, deps: S3SettingsDeps): void {
  server.route({
    method: 'POST',
    url: '/api/s3/keys',
    config: { access: 'account' },
    schema: {
      operationId: 'createS3Key',
      tags: ['s3'],
      summary: 'Make an S3 key; its secret is shown this once',
      querystring: Type.Object({
        read_only: Type.Optional(Type.Boolean()),
        format: Type.Optional(
          Type.Enum([...S3_KEY_FORMATS], {
            description: 'A ready file instead: for a shell, an agent, the AWS tools or rclone.',
          }),
        ),
      }),
      body: Type.Object(
        {
          name: OptionalText('For people.'),
          read_only: Type.Optional(Type.Boolean()),
          bucket: OptionalText('Limits the key to this bucket.'),
          prefix: OptionalText(
            'Limits it to keys that begin so, of the default bucket if none is named.',
          ),
        },
        { examples: [{ name: 'backup', prefix: 'backups/' }] },
      ),
      response: { 201: NewKeySchema, ...errorResponses(400, 401, 402, 403, 404, 429) },
    },
    handler: async (request, reply) => {
      const actor = principalOf(request);
      const { query, body } = request;
      const made = await createS3Key(deps, {
        actor,
        accountId: actor.accountId,
        request: {
          name: body.name ?? undefined,
          isReadOnly: query.read_only === true || body.read_only === true,
          bucket: body.bucket ?? undefined,
          prefix: body.prefix ?? undefined,
        },
      });
      reply.code(201).header('cache-control', 'no-store');
      return sendKey(reply, deps, { made, format: query.format });
    },
  });
}

function sendKey(
  reply: FastifyReply,
  deps: S3SettingsDeps,
  answer: {
    readonly made: Awaited<ReturnType<typeof createS3Key>>;
    readonly format: (typeof S3_KEY_FORMATS)[number] | undefined;
  },
): FastifyReply {
  const { made, format } = answer;
  const site = deps.s3Site();
  const { accessKeyId } = made.key;
  const bucket = made.bucket ?? made.account.slug;
  const document: Static<typeof NewKeySchema> = { ...keyBody(made), secret: made.secret };
  switch (format) {
    case undefined:
      return reply.send(document);
    case 'json': {
      const { endpoint, region } = site;
      return reply.send({ ...document, endpoint, region, default_bucket: made.account.slug });
    }
    default: {
      const file = exportS3Key(format, { accessKeyId, secret: made.secret, bucket }, site);
      return reply
        .type(file.contentType)
        .header('content-disposition', `attachment; filename="${file.fileName}"`)
        .send(file.text);
    }
  }
}

function registerListKeys(server: ApiServer, deps: S3SettingsDeps): void {
  const example = { ...KEY_EXAMPLE, last_used_at: '2026-11-22T12:30:00.000Z', revoked_at: null };
  server.route({
    method: 'GET',
    url: '/api/s3/keys',
    config: { access: 'account' },
    schema: {
      operationId: 'listS3Keys',
      tags: ['s3'],
      summary: 'The S3 keys of the account, without their secrets',
      response: {
        200: Type.Object(
          { keys: Type.Array(ListedKeySchema) },
          { examples: [{ keys: [example] }] },
        ),
        ...errorResponses(401, 403, 429),
      },
    },
    handler: async (request) => {
      const actor = principalOf(request);
      const keys = await listS3Keys(deps, { actor, accountId: actor.accountId });
      return {
        keys: keys.map((named) => ({
          ...keyBody(named),
          last_used_at: timeText(named.key.lastUsedAt),
          revoked_at: timeText(named.key.revokedAt),
        })),
      };
    },
  });
}

function registerRevokeKey(server: ApiServer, deps: S3SettingsDeps): void {
  server.route({
    method: 'DELETE',
    url: '/api/s3/keys/:access_key_id',
    config: { access: 'account' },
    schema: {
      operationId: 'revokeS3Key',
      tags: ['s3'],
      summary: 'Revoke an S3 key; its next request is refused',
      params: Type.Object({ access_key_id: Type.String() }),
      response: {
        200: Type.Object({ revoked: Type.Literal(true) }, { examples: [{ revoked: true }] }),
        ...errorResponses(401, 403, 404, 429),
      },
    },
    handler: async (request) => {
      const actor = principalOf(request);
      await revokeS3Key(deps, { actor, accessKeyId: request.params.access_key_id });
      return { revoked: true } as const;
    },
  });
}

function keyBody({ key, bucket }: NamedS3Key) {
  return {
    access_key_id: key.accessKeyId,
    name: key.name ?? null,
    read_only: key.isReadOnly,
    bucket: bucket ?? null,
    prefix: key.prefix ?? null,
    created_at: new Date(key.createdAt).toISOString(),
  };
}

function timeText(time: TimeMs | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
