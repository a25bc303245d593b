/** Buckets: the default one and further ones, with who may read them. */
import { type Static, Type } from 'typebox';
import { authorize } from '../../core/identity/access/authorize.ts';
import type { BucketName } from '../../core/ids.ts';
import { LIST_LIMIT_DEFAULT, LIST_LIMIT_MAX } from '../../core/limits.ts';
import type { Bucket, BucketChange } from '../../core/objects/buckets/bucket.ts';
import {
  changeBucket,
  createBucket,
  deleteBucket,
  getBucket,
  listBuckets,
  parseStandingBucketName,
} from '../../core/objects/buckets/buckets.ts';
import {
  corsDocumentOf,
  corsOriginsOf,
  corsRulesOf,
  simpleCorsRules,
} from '../../core/objects/buckets/cors-rules.ts';
import type { Principal } from '../../core/principal.ts';
import { principalOf } from '../../server/listener/access.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';
import type { S3SettingsDeps } from './deps.ts';

const SETTINGS_FIELDS = {
  public_read: Type.Boolean({ description: 'Whether anyone may GET and HEAD its objects.' }),
  cors_allowed_origins: Type.Array(Type.String(), {
    description: 'Origins whose web pages may use it; setting them replaces its CORS document.',
  }),
};

const BUCKET_EXAMPLE = {
  bucket_name: 'k4mzq7d2xw5a',
  public_read: false,
  cors_allowed_origins: ['https://app.example.org'],
} as const;

const LISTED_EXAMPLE = {
  ...BUCKET_EXAMPLE,
  is_default: true,
  created_at: '2026-11-22T12:00:00.000Z',
} as const;

const BucketSchema = Type.Object(
  { bucket_name: Type.String(), ...SETTINGS_FIELDS },
  { examples: [BUCKET_EXAMPLE] },
);

const ListedBucketSchema = Type.Object(
  {
    bucket_name: Type.String(),
    ...SETTINGS_FIELDS,
    is_default: Type.Boolean(),
    created_at: Type.String(),
  },
  { examples: [LISTED_EXAMPLE] },
);

const ChangeSchema = Type.Object(
  {
    public_read: Type.Optional(SETTINGS_FIELDS.public_read),
    cors_allowed_origins: Type.Optional(SETTINGS_FIELDS.cors_allowed_origins),
  },
  { examples: [{ public_read: true, cors_allowed_origins: ['https://app.example.org'] }] },
);

const NameParams = Type.Object({ name: Type.String() });

export function registerBucketRoutes(server: ApiServer, deps: S3SettingsDeps): void {
  registerDefaultBucket(server, deps);
  registerSite(server, deps);
  registerCollection(server, deps);
  registerFurtherBucket(server, deps);
}

function registerDefaultBucket(server: ApiServer, deps: S3SettingsDeps): void {
  server.route({
    method: 'GET',
    url: '/api/s3/bucket',
    config: { access: 'account' },
    schema: {
      operationId: 'getDefaultBucket',
      tags: ['s3'],
      summary: 'The default bucket, which is the root of the files',
      response: { 200: BucketSchema, ...errorResponses(401, 403, 429) },
    },
    handler: async (request) => {
      const principal = principalOf(request);
      const name = defaultNameOf(principal);
      return bucketBody(await getBucket(deps, { principal, name, access: 'bucket.read' }));
    },
  });
  server.route({
    method: 'PATCH',
    url: '/api/s3/bucket',
    config: { access: 'account' },
    schema: {
      operationId: 'changeDefaultBucket',
      tags: ['s3'],
      summary: 'Change settings of the default bucket',
      body: ChangeSchema,
      response: { 200: BucketSchema, ...errorResponses(400, 401, 403, 429) },
    },
    handler: async (request) => {
      const principal = principalOf(request);
      const name = defaultNameOf(principal);
      const change = changeOf(request.body);
      return bucketBody(await changeBucket(deps, { principal, name, change }));
    },
  });
}

/** What a client needs beside a key; asked for by published command-line clients. */
function registerSite(server: ApiServer, deps: S3SettingsDeps): void {
  server.route({
    method: 'GET',
    url: '/api/s3/info',
    config: { access: 'account' },
    schema: {
      operationId: 'getS3Site',
      tags: ['s3'],
      summary: 'Where the S3 gateway is, and the name of the default bucket there',
      response: {
        200: Type.Object(
          { endpoint: Type.String(), region: Type.String(), bucket_name: Type.String() },
          {
            examples: [
              { endpoint: 'http://localhost:9000', region: 'auto', bucket_name: 'k4mzq7d2xw5a' },
            ],
          },
        ),
        ...errorResponses(401, 403, 429),
      },
    },
    handler: async (request) => {
      const principal = principalOf(request);
      authorize(principal, 'buckets.manage');
      const { endpoint, region } = deps.s3Site(request.raw);
      return { endpoint, region, bucket_name: principal.slug };
    },
  });
}

function registerCollection(server: ApiServer, deps: S3SettingsDeps): void {
  server.route({
    method: 'GET',
    url: '/api/s3/buckets',
    config: { access: 'account' },
    schema: {
      operationId: 'listBuckets',
      tags: ['s3'],
      summary: 'The buckets of the account, in order of name',
      querystring: Type.Object({
        prefix: Type.Optional(Type.String()),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LIST_LIMIT_MAX })),
        cursor: Type.Optional(
          Type.String({ description: 'The `next_cursor` of the page before.' }),
        ),
      }),
      response: {
        200: Type.Object(
          {
            buckets: Type.Array(ListedBucketSchema),
            next_cursor: Type.Union([Type.String(), Type.Null()]),
          },
          { examples: [{ buckets: [LISTED_EXAMPLE], next_cursor: null }] },
        ),
        ...errorResponses(400, 401, 403, 429),
      },
    },
    handler: async (request) => {
      const { prefix = '', limit = LIST_LIMIT_DEFAULT, cursor } = request.query;
      const principal = principalOf(request);
      const page = await listBuckets(deps, { principal, prefix, after: cursor, limit });
      return { buckets: page.buckets.map(listedBody), next_cursor: page.next ?? null };
    },
  });
  server.route({
    method: 'POST',
    url: '/api/s3/buckets',
    config: { access: 'account' },
    schema: {
      operationId: 'createBucket',
      tags: ['s3'],
      summary: 'Make a further bucket',
      body: Type.Object(
        {
          bucket_name: Type.String({
            description: '3 to 63 of a-z, 0-9, . and -; one of its name in the whole service.',
          }),
          public_read: Type.Optional(SETTINGS_FIELDS.public_read),
          cors_allowed_origins: Type.Optional(SETTINGS_FIELDS.cors_allowed_origins),
        },
        { examples: [{ bucket_name: 'my-backups' }] },
      ),
      response: { 201: ListedBucketSchema, ...errorResponses(400, 401, 402, 403, 409, 429) },
    },
    handler: async (request, reply) => {
      const principal = principalOf(request);
      const { bucket_name: name, ...settings } = request.body;
      const bucket = await createBucket(deps, { principal, name, settings: changeOf(settings) });
      reply.code(201);
      return listedBody(bucket);
    },
  });
}

function registerFurtherBucket(server: ApiServer, deps: S3SettingsDeps): void {
  server.route({
    method: 'PATCH',
    url: '/api/s3/buckets/:name',
    config: { access: 'account' },
    schema: {
      operationId: 'changeBucket',
      tags: ['s3'],
      summary: 'Change settings of a bucket',
      params: NameParams,
      body: ChangeSchema,
      response: { 200: ListedBucketSchema, ...errorResponses(400, 401, 403, 404, 429) },
    },
    handler: async (request) => {
      const principal = principalOf(request);
      const name = nameOf(principal, request.params.name);
      const change = changeOf(request.body);
      return listedBody(await changeBucket(deps, { principal, name, change }));
    },
  });
  server.route({
    method: 'DELETE',
    url: '/api/s3/buckets/:name',
    config: { access: 'account' },
    schema: {
      operationId: 'deleteBucket',
      tags: ['s3'],
      summary: 'Remove an empty bucket, with the S3 keys that are limited to it',
      params: NameParams,
      response: {
        200: Type.Object({ deleted: Type.Literal(true) }, { examples: [{ deleted: true }] }),
        ...errorResponses(401, 403, 404, 409, 429),
      },
    },
    handler: async (request) => {
      const principal = principalOf(request);
      const name = nameOf(principal, request.params.name);
      await deleteBucket(deps, { principal, name });
      return { deleted: true } as const;
    },
  });
}

/** The account's slug is the name of its default bucket. */
function defaultNameOf(principal: Principal): BucketName {
  return nameOf(principal, principal.slug);
}

/** Who may not come so far is told that, whatever the name is. */
function nameOf(principal: Principal, text: string): BucketName {
  authorize(principal, 'buckets.manage');
  return parseStandingBucketName(text);
}

function changeOf(body: Static<typeof ChangeSchema>): BucketChange {
  const { public_read: publicRead, cors_allowed_origins: origins } = body;
  return {
    ...(publicRead === undefined ? {} : { publicRead }),
    ...(origins === undefined
      ? {}
      : {
          documents: { cors: corsDocumentOf(simpleCorsRules(origins, 'cors_allowed_origins')) },
        }),
  };
}

function bucketBody({ name, publicRead, documents }: Bucket): Static<typeof BucketSchema> {
  return {
    bucket_name: name,
    public_read: publicRead,
    cors_allowed_origins: [...corsOriginsOf(corsRulesOf(documents.cors))],
  };
}

function listedBody(bucket: Bucket): Static<typeof ListedBucketSchema> {
  return {
    ...bucketBody(bucket),
    is_default: bucket.isDefault,
    created_at: new Date(bucket.createdAt).toISOString(),
  };
}
