/** Every transaction of the core: a thread that keeps the store finds them here by name. */
import { APPEND_USAGE } from './append-usage.ts';
import { DELETE_OPERATIONS, FAIL_OPERATIONS } from './files/ended-operations.ts';
import { CREATE_PUBLIC_LINK, DELETE_PUBLIC_LINK } from './files/public-links.ts';
import { RENAME_FILE } from './files/rename-file.ts';
import { SAVE_OPERATION } from './files/upload-file.ts';
import { TOUCH_TOKEN } from './identity/access/authenticate.ts';
import {
  DISABLE_ACCOUNT,
  ENABLE_ACCOUNT,
  END_ALL_SESSIONS,
  SET_ACCOUNT_LIMITS,
  SET_ACCOUNT_ROLE,
} from './identity/account/administer-accounts.ts';
import { CHANGE_SETTINGS } from './identity/account/change-settings.ts';
import { ROTATE_APP_KEY } from './identity/account/rotate-app-key.ts';
import { SIGN_UP } from './identity/account/sign-up.ts';
import { TOUCH_S3_KEY } from './identity/s3-keys/authenticate-access-key.ts';
import { CREATE_S3_KEY, REVOKE_S3_KEY } from './identity/s3-keys/s3-keys.ts';
import { END_SESSION } from './identity/sessions/end-session.ts';
import { REVOKE_SESSION } from './identity/sessions/own-sessions.ts';
import { REFRESH_SESSION } from './identity/sessions/refresh-session.ts';
import { DELETE_S3_KEYS, DELETE_SESSIONS, DELETE_SPENT_NONCES } from './identity/sweep-identity.ts';
import { CREATE_API_TOKEN, REVOKE_API_TOKEN } from './identity/tokens/api-tokens.ts';
import { CHANGE_PASSWORD } from './identity/username/change-password.ts';
import { LOG_IN } from './identity/username/log-in.ts';
import { SET_PASSWORD } from './identity/username/set-password.ts';
import { SIGN_IN_BY_WALLET } from './identity/wallets/verify-wallet-sign-in.ts';
import { CHANGE_BUCKET, CREATE_BUCKET, DELETE_BUCKET } from './objects/buckets/buckets.ts';
import { ABORT_IDLE_UPLOADS, FORGET_UPLOADS } from './objects/multipart/sweep-uploads.ts';
import { SET_CONTENT_HASH } from './objects/write/hash-object.ts';
import type { Transaction } from './ports/metadata/metadata.ts';

export const TRANSACTIONS: readonly Transaction<never, unknown>[] = [
  ABORT_IDLE_UPLOADS,
  APPEND_USAGE,
  CHANGE_BUCKET,
  CHANGE_PASSWORD,
  CHANGE_SETTINGS,
  CREATE_API_TOKEN,
  CREATE_BUCKET,
  CREATE_PUBLIC_LINK,
  CREATE_S3_KEY,
  DELETE_BUCKET,
  DELETE_SPENT_NONCES,
  DELETE_OPERATIONS,
  DELETE_PUBLIC_LINK,
  DELETE_S3_KEYS,
  DELETE_SESSIONS,
  DISABLE_ACCOUNT,
  ENABLE_ACCOUNT,
  END_ALL_SESSIONS,
  END_SESSION,
  FAIL_OPERATIONS,
  FORGET_UPLOADS,
  LOG_IN,
  REFRESH_SESSION,
  RENAME_FILE,
  REVOKE_API_TOKEN,
  REVOKE_S3_KEY,
  REVOKE_SESSION,
  ROTATE_APP_KEY,
  SAVE_OPERATION,
  SET_ACCOUNT_LIMITS,
  SET_ACCOUNT_ROLE,
  SET_CONTENT_HASH,
  SET_PASSWORD,
  SIGN_IN_BY_WALLET,
  SIGN_UP,
  TOUCH_S3_KEY,
  TOUCH_TOKEN,
];
