/**
 * What the operator at the machine may do. Two things speak it: the store itself, and a client of
 * the socket by which a running server offers the same.
 */
import type {
  AccountDocument,
  AccountListDocument,
  AuditDocument,
  CreatedAccountDocument,
  CreatedS3KeyDocument,
  CreatedTokenDocument,
  LimitsChangeDocument,
  NewAccountDocument,
  NewS3KeyDocument,
  NewTokenDocument,
  RevokedS3KeyDocument,
  RevokedTokenDocument,
  S3KeyListDocument,
  TokenListDocument,
} from './documents.ts';

/**
 * `account` names one by its user id, slug, username or wallet. Methods throw `account_not_found`
 * and whatever else the use cases throw.
 */
export interface Administration {
  /** At most `limit` (1 to 1000) accounts after the user id `after`. */
  listAccounts(page: {
    readonly after: string | undefined;
    readonly limit: number;
  }): Promise<AccountListDocument>;
  /** Opens a username account whatever the sign-up policy is. */
  createAccount(account: NewAccountDocument): Promise<CreatedAccountDocument>;
  getAccount(account: string): Promise<AccountDocument>;
  /** From then on the account is refused everywhere, its public links and URLs included. */
  disableAccount(account: string): Promise<AccountDocument>;
  enableAccount(account: string): Promise<AccountDocument>;
  changeLimits(account: string, change: LimitsChangeDocument): Promise<AccountDocument>;
  /** Ends every session; keys and tokens stay. */
  endSessions(account: string): Promise<AccountDocument>;
  /** Gives the role `operator`. */
  addOperator(account: string): Promise<AccountDocument>;
  /** Gives the role `user` back. */
  removeOperator(account: string): Promise<AccountDocument>;
  createToken(account: string, token: NewTokenDocument): Promise<CreatedTokenDocument>;
  listTokens(account: string): Promise<TokenListDocument>;
  /** By its name; its next request is refused. */
  revokeToken(account: string, name: string): Promise<RevokedTokenDocument>;
  createS3Key(account: string, key: NewS3KeyDocument): Promise<CreatedS3KeyDocument>;
  listS3Keys(account: string): Promise<S3KeyListDocument>;
  /** Whoever's it is; its next request is refused. */
  revokeS3Key(accessKeyId: string): Promise<RevokedS3KeyDocument>;
  /** The newest of the audit trail, of one account or of all; at most `limit` (1 to 1000). */
  listAudit(page: {
    readonly account: string | undefined;
    readonly limit: number;
  }): Promise<AuditDocument>;
}
