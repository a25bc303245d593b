/** The composition root's upper half: the dialects of the API listener over an open store. */
import { readFile } from 'node:fs/promises';
import type { Config } from '../config/config.ts';
import { authenticate } from '../core/identity/access/authenticate.ts';
import type { FaultPoints } from '../core/ports/fault-points.ts';
import { registerAccountDialect } from '../dialects/account/routes.ts';
import { registerFilesDialect } from '../dialects/files/routes.ts';
import { type OpenApiDocument, registerOpenApiRoutes } from '../dialects/health/openapi-routes.ts';
import { registerHealthDialect } from '../dialects/health/routes.ts';
import { registerS3Settings } from '../dialects/s3-settings/routes.ts';
import type { TlsContext } from '../kit/tls-pair.ts';
import { type ApiTimeouts, createApiServer } from '../server/listener/api-server.ts';
import type { Asked, PublicOrigin } from '../server/listener/public-origin.ts';
import type { Shell } from '../server/listener/shell.ts';
import type { ApiServer } from '../server/schema/schema-kit.ts';
import type { Store } from './open-store.ts';

export type ApiOptions = {
  readonly config: Config;
  readonly faults: FaultPoints;
  /** Where clients reach this API; known for certain once it listens. */
  readonly publicUrl: PublicOrigin;
  /** Where clients reach the S3 gateway; known likewise. */
  readonly s3PublicUrl: PublicOrigin;
  /** `undefined`: plain HTTP. */
  readonly tls?: TlsContext | undefined;
  /** For what must see every route as it is registered: the maker of the OpenAPI documents. */
  readonly onRoutesComing?: (server: ApiServer, version: string) => Promise<void>;
  /** For tests of clients that stall. */
  readonly timeouts?: ApiTimeouts;
};

/** The network that sign-in messages name; wallets show it, nothing is sent to it. */
const CHAIN_ID = 'mainnet';

/** Builds the API with all its routes; it does not listen yet. */
export async function buildApi(store: Store & Shell, options: ApiOptions): Promise<ApiServer> {
  const { config, faults, publicUrl, s3PublicUrl } = options;
  const identity = {
    ...store,
    signUpPolicy: config.signup,
    chainId: CHAIN_ID,
    publicUrl,
    get issuer() {
      return publicUrl();
    },
  };
  const server = createApiServer(
    { ...store, authenticate: (sent) => authenticate(identity, sent) },
    {
      tls: options.tls,
      s3Url: s3PublicUrl,
      ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
    },
  );
  const version = await readVersion();
  await options.onRoutesComing?.(server, version);
  registerAccountDialect(server, identity);
  registerFilesDialect(server, {
    ...store,
    faults,
    quota: config.quota,
    capacity: store.storedBytes,
    prices: config.prices,
    publicUrl,
  });
  registerS3Settings(server, {
    ...store,
    quota: config.quota,
    s3Site: (asked?: Asked) => ({
      endpoint: s3PublicUrl(asked),
      region: config.region,
      apiUrl: publicUrl(asked),
    }),
  });
  registerHealthDialect(server, {
    clock: store.clock,
    version,
    checks: { metadata: () => store.metadata.check(), blobs: () => store.blobs.check() },
  });
  registerOpenApiRoutes(server, { readDocument, publicUrl });
  return server;
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The committed documents; a test holds them to the routes. */
async function readDocument(file: 'openapi.json' | 'openapi-3.0.json'): Promise<OpenApiDocument> {
  const text = await readFile(new URL(`../../openapi/${file}`, import.meta.url), 'utf8');
  return JSON.parse(text) as OpenApiDocument;
}
