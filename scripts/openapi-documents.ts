/**
 * The OpenAPI documents, made from the routes of an API that stands on memory and never listens.
 */
import { Converter } from '@apiture/openapi-down-convert';
import { buildApi } from '../src/compose/build-api.ts';
import { loadConfig } from '../src/config/config.ts';
import { environmentOf } from '../src/config/env.ts';
import { NO_FAULTS } from '../src/core/ports/fault-points.ts';
import type { OpenApiDocument } from '../src/dialects/health/openapi-routes.ts';
import { MemoryBlobStore } from '../src/engines/blobs/memory/memory-blob-store.ts';
import { systemClock } from '../src/engines/clock/system-clock.ts';
import { ThreadDigesters } from '../src/engines/digests/thread-digesters.ts';
import { createMemoryRateLimiter } from '../src/engines/limits/memory-rate-limiter.ts';
import { MemoryMetadata } from '../src/engines/metadata/memory-metadata.ts';
import { Argon2PasswordHasher } from '../src/engines/passwords/argon2-password-hasher.ts';
import { systemRandom } from '../src/engines/random/system-random.ts';
import { StoredBytes } from '../src/jobs/stored-bytes.ts';
import { UsageBuffer } from '../src/jobs/usage-buffer.ts';
import {
  keyringOf,
  MASTER_KEY_RANDOM_BYTES,
  newMasterKeyLine,
  parseMasterKeys,
} from '../src/kit/keyring.ts';
import { SILENT_LOG } from '../src/observe/log.ts';
import { createMetrics } from '../src/observe/metrics.ts';
import { openShell } from '../src/server/listener/shell.ts';
import { collectOpenApi, openApiDocument } from './collect-openapi.ts';

/** What the committed documents say of where the API is: the default of a first start. */
const PUBLIC_URL = 'http://localhost:8080';

/** OpenAPI 3.1, as the server answers it. */
export async function currentDocument(): Promise<OpenApiDocument> {
  const metadata = await MemoryMetadata.open();
  const { now } = systemClock;
  const noLimit = {
    credential: [],
    anonymous: [],
    s3: [],
    signIn: [],
    signUp: [],
    password: [],
    walletAnswer: [],
  };
  const keyLine = newMasterKeyLine(systemRandom.bytes(MASTER_KEY_RANDOM_BYTES));
  const config = loadConfig({ environment: environmentOf({}), workingDirectory: '/' });
  const server = await buildApi(
    {
      metadata,
      blobs: new MemoryBlobStore({ ids: metadata, rows: metadata, now }),
      clock: systemClock,
      random: systemRandom,
      keyring: keyringOf(parseMasterKeys(keyLine)),
      passwords: new Argon2PasswordHasher({ atOnceMax: 1, waitingMax: 1 }),
      limiter: createMemoryRateLimiter(noLimit, now),
      usage: new UsageBuffer(metadata),
      storedBytes: new StoredBytes(metadata, undefined),
      digesters: new ThreadDigesters(),
      log: SILENT_LOG,
      ...openShell({ clock: systemClock, log: SILENT_LOG }, config),
      metrics: createMetrics(),
    },
    {
      config,
      faults: NO_FAULTS,
      publicUrl: () => PUBLIC_URL,
      s3PublicUrl: () => PUBLIC_URL,
      onRoutesComing: (server, version) =>
        collectOpenApi(server, { version, publicUrl: PUBLIC_URL }),
    },
  );
  await server.ready();
  const document = openApiDocument(server);
  await server.close();
  return JSON.parse(JSON.stringify(document)) as OpenApiDocument;
}

/** The same for readers of OpenAPI 3.0.3. */
export function olderDocument(current: OpenApiDocument): OpenApiDocument {
  const converter = new Converter(withoutNullTypes(current) as object, { verbose: false });
  // The converter leaves marks on objects that JSON does not show.
  const converted = JSON.parse(JSON.stringify(converter.convert())) as OpenApiDocument;
  return { ...converted, openapi: '3.0.3' };
}

/** `anyOf` a type and null is 3.1's way of saying what 3.0 calls `nullable`. */
function withoutNullTypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNullTypes);
  if (typeof value !== 'object' || value === null) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) copy[key] = withoutNullTypes(item);
  const { anyOf, ...rest } = copy;
  if (!Array.isArray(anyOf)) return copy;
  const others = anyOf.filter((item: { type?: string }) => item.type !== 'null');
  if (others.length === anyOf.length) return copy;
  const [only] = others;
  return others.length === 1
    ? { ...only, ...rest, nullable: true }
    : { ...rest, anyOf: others, nullable: true };
}
