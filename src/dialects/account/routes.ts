/**
 * The account dialect (contracts/files-api.md, Authentication): signing in, sessions, and the
 * account itself. What the routes do is in core/identity.
 */
import type { ApiServer } from '../../server/schema/schema-kit.ts';
import type { AccountDeps } from './deps.ts';
import { registerSelfRoutes } from './self-routes.ts';
import { registerSessionRoutes } from './session-routes.ts';
import { registerUsernameRoutes } from './username-routes.ts';
import { registerWalletRoutes } from './wallet-routes.ts';

export function registerAccountDialect(server: ApiServer, deps: AccountDeps): void {
  registerWalletRoutes(server, deps);
  registerSessionRoutes(server, deps);
  registerUsernameRoutes(server, deps);
  registerSelfRoutes(server, deps);
}
