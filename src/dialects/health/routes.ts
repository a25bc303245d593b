/** What the service says of itself: alive, ready, which version, and where to go. */
import { Type } from 'typebox';
import type { Clock } from '../../core/ports/clock.ts';
import { sendPage } from '../../server/schema/html-page.ts';
import { type ApiServer, errorResponses } from '../../server/schema/schema-kit.ts';

export type HealthDeps = {
  readonly clock: Pick<Clock, 'after'>;
  readonly version: string;
  /** Each dependency by name; a check throws when it cannot serve. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
};

export function registerHealthDialect(server: ApiServer, deps: HealthDeps): void {
  registerHealth(server);
  registerReady(server, deps);
  registerVersion(server, deps);
  registerFrontPage(server);
}

function registerHealth(server: ApiServer): void {
  server.route({
    method: 'GET',
    url: '/health',
    config: { access: 'open' },
    schema: {
      operationId: 'health',
      tags: ['service'],
      summary: 'Whether the process is alive',
      security: [],
      response: {
        200: Type.Object({ status: Type.Literal('ok') }, { examples: [{ status: 'ok' }] }),
        ...errorResponses(),
      },
    },
    handler: async () => ({ status: 'ok' as const }),
  });
}

const ReadySchema = Type.Object(
  {
    status: Type.Union([Type.Literal('ready'), Type.Literal('not_ready')]),
    dependencies: Type.Record(
      Type.String(),
      Type.Union([Type.Literal('ok'), Type.Literal('failed')]),
    ),
  },
  { examples: [{ status: 'ready', dependencies: { metadata: 'ok', blobs: 'ok' } }] },
);

function registerReady(server: ApiServer, deps: HealthDeps): void {
  server.route({
    method: 'GET',
    url: '/ready',
    config: { access: 'open' },
    schema: {
      operationId: 'ready',
      tags: ['service'],
      summary: 'Whether requests can be served, by dependency',
      security: [],
      response: { 200: ReadySchema, ...errorResponses(), 503: ReadySchema },
    },
    handler: async (_request, reply) => {
      const dependencies: Record<string, 'ok' | 'failed'> = {};
      for (const [name, check] of Object.entries(deps.checks)) {
        dependencies[name] = await outcomeOf(check, deps.clock);
      }
      const isReady = Object.values(dependencies).every((state) => state === 'ok');
      const status = isReady ? ('ready' as const) : ('not_ready' as const);
      return reply.code(isReady ? 200 : 503).send({ status, dependencies });
    },
  });
}

/** A dependency that does not answer in this time does not serve. */
const CHECK_MS_MAX = 2000;

function outcomeOf(
  check: () => Promise<void>,
  clock: HealthDeps['clock'],
): Promise<'ok' | 'failed'> {
  return new Promise((resolve) => {
    const cancel = clock.after(CHECK_MS_MAX, () => resolve('failed'));
    const settle = (outcome: 'ok' | 'failed') => {
      cancel();
      resolve(outcome);
    };
    check().then(
      () => settle('ok'),
      () => settle('failed'),
    );
  });
}

function registerVersion(server: ApiServer, deps: HealthDeps): void {
  server.route({
    method: 'GET',
    url: '/version',
    config: { access: 'open' },
    schema: {
      operationId: 'version',
      tags: ['service'],
      summary: 'Which Pinfold this is',
      security: [],
      response: {
        200: Type.Object(
          { name: Type.String(), version: Type.String() },
          { examples: [{ name: 'pinfold', version: '0.1.0' }] },
        ),
        ...errorResponses(),
      },
    },
    handler: async () => ({ name: 'pinfold', version: deps.version }),
  });
}

function registerFrontPage(server: ApiServer): void {
  server.route({
    method: 'GET',
    url: '/',
    config: { access: 'open', isUndocumented: true },
    handler: (_request, reply) =>
      sendPage(reply, 200, {
        title: 'Pinfold',
        body: `<p>Store once; reach it by S3, by HTTP and by IPFS. This is the API of a Pinfold server.</p>
<ul>
<li><a href="/openapi.yaml">OpenAPI description</a> (<a href="/openapi.json">JSON</a>)</li>
<li><a href="/ready">State of this server</a>, <a href="/version">its version</a></li>
</ul>
<p>Sign in with <code>POST /auth/siws/challenge</code>, store with <code>POST /upload?file_name=hello.txt</code>, get a key for S3 tools with <code>POST /api/s3/keys?format=env</code>.</p>`,
      }),
  });
}
