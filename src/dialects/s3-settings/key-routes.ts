/** S3 keys: made, listed, revoked. */
import type { FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import {
  exportS3Key,
  S3_KEY_FORMATS,
  type S3Site,
} from '../../core/identity/s3-keys/export-s3-key.ts';
import type { S3Key } from '../../core/identity/s3-keys/s3-key.ts';
import {
  createS3Key,
  listS3Keys,
  type NamedS3Key,
  revokeS3Key,
} from '../../core/identity/s3-keys/s3-keys.ts';
import type { TimeMs } from '../../core/ids.ts';
import { principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { S3SettingsDeps } from './deps.ts';

const NullableText = Type.Union([Type.String(), Type.Null()]);
const OptionalText = (description: string) => Type.Optional(Type.String({ description }));

const KEY_EXAMPLE = {
  access_key_id: 'K4MZQ7D2XW5AEXAMPLE2',
  name: 'backup',
  read_only: false,
  bucket: null,
  prefix: null,
  created_at: '2026-11-22T12:00:00.000Z',
  key_name: 'backup',
  bucket_name: 'k4mzq7d2xw5a',
  bucket_id: 'k4mzq7d2xw5a',
  name_prefix: '',
  capabilities: 'read,write',
  endpoint: 'http://localhost:9000',
  region: 'auto',
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
  key_name: Type.String({ description: 'As `name`; empty where that is null.' }),
  bucket_name: Type.String({
    description: 'As `bucket`; the default bucket where the key reaches all, empty for one gone.',
  }),
  bucket_id: Type.String({ description: 'The same: buckets have no other public name.' }),
  name_prefix: Type.String({ description: 'As `prefix`; empty where that is null.' }),
  capabilities: Type.String({ description: '`read` or `read,write`.' }),
  endpoint: Type.String(),
  region: Type.String(),
};

const SECRET_EXAMPLE = 'EXAMPLEexampleEXAMPLEexampleEXAMPLE01234';

const NewKeySchema = Type.Object(
  {
    ...KEY_FIELDS,
    secret: Type.String({ description: 'Shown this once.' }),
    secret_access_key: Type.String({ description: 'The same.' }),
    default_bucket: Type.Optional(Type.String({ description: 'With `format=json`.' })),
  },
  {
    examples: [{ ...KEY_EXAMPLE, secret: SECRET_EXAMPLE, secret_access_key: SECRET_EXAMPLE }],
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
      description:
        'A token needs `s3:keys`; the key ends with it, and is read-only unless the token also has `files:write` and `files:delete`.',
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
          name: body.name,
          isReadOnly: query.read_only === true || body.read_only === true,
          bucket: body.bucket,
          prefix: body.prefix,
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
  const site = deps.s3Site(reply.request.raw);
  const { accessKeyId } = made.key;
  const { secret } = made;
  const defaultBucket = made.account.slug;
  const document: Static<typeof NewKeySchema> = {
    ...keyBody(made, { site, defaultBucket }),
    secret,
    secret_access_key: secret,
  };
  switch (format) {
    case undefined:
      return reply.send(document);
    case 'json':
      return reply.send({ ...document, default_bucket: defaultBucket });
    default: {
      const bucket = made.bucket ?? defaultBucket;
      const file = exportS3Key(format, { accessKeyId, secret, bucket }, site);
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
      const place = { site: deps.s3Site(request.raw), defaultBucket: actor.slug };
      return {
        keys: keys.map((named) => ({
          ...keyBody(named, place),
          last_used_at: timeText(named.key.lastUsedAt),
          revoked_at: timeText(endOf(named.key, deps.clock.now())),
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

/** Our own names and, beside them, those that published clients read, none of them null. */
function keyBody(
  { key, bucket }: NamedS3Key,
  { site, defaultBucket }: { readonly site: S3Site; readonly defaultBucket: string },
) {
  const bucketName = key.bucketId === undefined ? defaultBucket : (bucket ?? '');
  return {
    access_key_id: key.accessKeyId,
    name: key.name ?? null,
    read_only: key.isReadOnly,
    bucket: bucket ?? null,
    prefix: key.prefix ?? null,
    created_at: new Date(key.createdAt).toISOString(),
    key_name: key.name ?? '',
    bucket_name: bucketName,
    bucket_id: bucketName,
    name_prefix: key.prefix ?? '',
    capabilities: key.isReadOnly ? 'read' : 'read,write',
    endpoint: site.endpoint,
    region: site.region,
  };
}

/** One that a token made ends when the token expires, if not before. */
function endOf({ revokedAt, expiresAt }: S3Key, now: TimeMs): TimeMs | undefined {
  if (revokedAt !== undefined || expiresAt === undefined) return revokedAt;
  return expiresAt <= now ? expiresAt : undefined;
}

function timeText(time: TimeMs | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
