/**
 * The settings of the S3 gateway over REST (contracts/files-api.md, S3 keys and bucket settings):
 * keys, buckets, presigned URLs. What the routes do is in core/identity and core/objects.
 */
import type { ApiServer } from '../../server/schema/schema-kit.ts';
import { registerBucketRoutes } from './bucket-routes.ts';
import type { S3SettingsDeps } from './deps.ts';
import { registerKeyRoutes } from './key-routes.ts';
import { registerPresignRoute } from './presign-route.ts';

export function registerS3Settings(server: ApiServer, deps: S3SettingsDeps): void {
  registerKeyRoutes(server, deps);
  registerBucketRoutes(server, deps);
  registerPresignRoute(server, deps);
}
