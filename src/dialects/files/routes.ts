/**
 * The Files API (contracts/files-api.md): the native REST dialect. Each file beside this one holds
 * a family of routes; what they do is in core/files and core/objects.
 */
import type { ApiServer } from '../../server/schema/schema-kit.ts';
import type { FilesDeps } from './deps.ts';
import { registerDownloadRoutes } from './download-routes.ts';
import { registerFileRoutes } from './file-routes.ts';
import { registerLinkRoutes } from './link-routes.ts';
import { registerPricingRoutes } from './pricing-routes.ts';
import { registerPublicRoutes } from './public-routes.ts';
import { registerUploadRoutes } from './upload-routes.ts';
import { registerWholeListRoute } from './whole-list-route.ts';

export function registerFilesDialect(server: ApiServer, deps: FilesDeps): void {
  registerUploadRoutes(server, deps);
  registerDownloadRoutes(server, deps);
  registerFileRoutes(server, deps);
  registerWholeListRoute(server, deps);
  registerPricingRoutes(server, deps);
  registerLinkRoutes(server, deps);
  registerPublicRoutes(server, deps);
}
