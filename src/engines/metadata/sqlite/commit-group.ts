/**
 * Publishes, deletes and moves inside one transaction of the writer. Each member is decided first,
 * which only reads and sees what earlier members wrote; a member that is refused has written
 * nothing.
 */
import type { Account } from '../../../core/identity/account/account.ts';
import type { AccountId, BucketId, ObjectKey, TimeMs } from '../../../core/ids.ts';
import {
  type Footprint,
  footprintChange,
  versionFootprint,
} from '../../../core/objects/commit/footprint.ts';
import { judgeCommit } from '../../../core/objects/commit/judge-commit.ts';
import type { ContentPart, ObjectVersion } from '../../../core/objects/object.ts';
import type { Deletion, ObjectWrites, Publication } from '../../../core/ports/metadata/objects.ts';
import type { UsageDelta } from '../../../core/usage.ts';
import { bucketNotFound, bytesGone, objectNotFound } from '../commit-refusals.ts';
import { accountNotFound } from '../rows/accounts.ts';
import { partChecksumColumn } from '../rows/checksums.ts';
import { bytesOfKey } from '../rows/columns.ts';
import { columnsOfOperation } from '../rows/files.ts';
import { columnsOfVersion, isInline, type ObjectRow, versionOf } from '../rows/objects.ts';
import { columnsOfUsage } from '../rows/trail.ts';
import type { ObjectTable } from '../schema.ts';
import { withChange } from '../stored-change.ts';
import { UsageSums } from '../usage-sums.ts';
import type { CommitStatements } from './commit-statements.ts';
import { accountOfRow } from './sqlite-reads.ts';

type Move = Parameters<ObjectWrites['moveObject']>[0];
export type Current = { readonly version: ObjectVersion; readonly row: ObjectRow };
/**
 * Writes what was decided. A refusal comes before its first write; any other error leaves halves.
 */
type Write = () => void;

/** `answer` is told once the commit is durable. */
export type Decided<T = ObjectVersion | undefined> = { readonly answer: T; readonly write: Write };

export class CommitGroup {
  readonly statements: CommitStatements;
  readonly #accounts = new Map<AccountId, { account: Account; isChanged: boolean }>();
  readonly #owners = new Map<BucketId, AccountId>();
  readonly #usage = new UsageSums();

  constructor(statements: CommitStatements) {
    this.statements = statements;
  }

  decidePublish(publication: Publication): Decided {
    const { accountId, version, content, areBlobsStanding = false, demands } = publication;
    const account = this.account(accountId);
    this.requireOwner(version.bucketId, accountId);
    const current = this.current(version.bucketId, version.key);
    judgeCommit(demands, { current: current?.version, account });
    if (areBlobsStanding) this.#requireAlive(content);
    // One blob is refused by the first write itself, which then has written nothing.
    else if (content.length > 1) this.#refuseDead(content);
    return { answer: current?.version, write: () => this.#publish(publication, current) };
  }

  decideDelete(deletion: Deletion): Decided {
    const { accountId, bucketId, key, at, demands } = deletion;
    const account = this.account(accountId);
    this.requireOwner(bucketId, accountId);
    const current = this.current(bucketId, key);
    judgeCommit(demands, { current: current?.version, account });
    const write = () => {
      if (current === undefined) return;
      this.statements.deleteObject.run(bucketId, bytesOfKey(key));
      this.statements.endLinks.run(bucketId, bytesOfKey(key));
      this.dropContent(current.row, at);
      const removed = [versionFootprint(current.version)];
      this.changeStored(accountId, footprintChange({ added: [], removed }));
    };
    return { answer: current?.version, write };
  }

  decideMove({ bucketId, from, to, at }: Move): Decided {
    const source = this.current(bucketId, from);
    if (source === undefined) {
      throw objectNotFound();
    }
    if (from === to) return { answer: undefined, write: () => {} };
    const target = this.current(bucketId, to);
    const write = () => {
      if (target !== undefined) {
        this.statements.deleteObject.run(bucketId, bytesOfKey(to));
        this.statements.endLinks.run(bucketId, bytesOfKey(to));
        this.dropContent(target.row, at);
      }
      const moved = { ...source.version, key: to };
      const change = footprintChange({
        added: [versionFootprint(moved)],
        removed: [source, target].map((each) => each && versionFootprint(each.version)),
      });
      this.changeStored(this.#owner(bucketId), change);
      this.statements.renameObject.run(bytesOfKey(to), bucketId, bytesOfKey(from));
      this.statements.moveLinks.run(bytesOfKey(to), bucketId, bytesOfKey(from));
    };
    return { answer: target?.version, write };
  }

  /** Writes the sums of all members; the last thing before the commit. */
  flush(): void {
    for (const [accountId, { account, isChanged }] of this.#accounts) {
      if (!isChanged) continue;
      this.statements.changeStored.run(account.storedBytes, account.countedBytes, accountId);
    }
    for (const delta of this.#usage.sums()) {
      const row = columnsOfUsage(delta);
      this.statements.appendUsage.run(
        row.account_id,
        row.hour,
        row.meter,
        row.source,
        row.bucket_id,
        row.credential,
        row.link,
        row.bytes,
        row.requests,
      );
    }
  }

  /** Accounts whose sums this group changes. */
  *changedAccounts(): Generator<Account> {
    for (const { account, isChanged } of this.#accounts.values()) if (isChanged) yield account;
  }

  #publish({ accountId, version, content, operation, usage }: Publication, current?: Current) {
    for (const { blob } of content) {
      const { blobId, sizeBytes, location } = blob;
      const { changes } = this.statements.ownBlob.run(blobId, sizeBytes, location);
      if (Number(changes) === 0) throw bytesGone();
    }
    this.writeObject(columnsOfVersion(version, this.#writeContent(version, content)));
    if (current !== undefined) this.dropContent(current.row, version.createdAt);
    const change = footprintChange({
      added: [versionFootprint(version)],
      removed: [current && versionFootprint(current.version)],
    });
    this.changeStored(accountId, change);
    if (operation !== undefined) {
      const row = columnsOfOperation(operation);
      this.statements.writeOperation.run(
        row.operation_id,
        row.account_id,
        row.key,
        row.status,
        row.error,
        row.content_hash,
        row.bytes_total,
        row.bytes_uploaded,
        row.created_at,
        row.updated_at,
      );
    }
    this.addUsage(usage);
  }

  addUsage(usage: UsageDelta | undefined): void {
    if (usage !== undefined) this.#usage.add(usage);
  }

  writeObject(row: ObjectTable): void {
    this.statements.writeObject.run(
      row.bucket_id,
      row.key,
      row.version_id,
      row.size_bytes,
      row.etag,
      row.content_hash,
      row.content_type,
      row.headers,
      row.user_metadata,
      row.tags,
      row.storage_class,
      row.tier,
      row.origin,
      row.blob_id,
      row.content_id,
      row.created_at,
      row.checksum,
    );
  }

  #writeContent(
    version: ObjectVersion,
    content: readonly ContentPart[],
  ): Pick<ObjectTable, 'blob_id' | 'content_id'> {
    if (isInline(content, version.sizeBytes)) {
      return { blob_id: content[0]?.blob.blobId ?? null, content_id: null };
    }
    const contentId = Number(this.statements.insertContent.run(content.length).lastInsertRowid);
    content.forEach(({ blob, sizeBytes, checksum }, position) => {
      const text = partChecksumColumn(checksum);
      this.statements.insertPart.run(contentId, position, blob.blobId, sizeBytes, text);
    });
    return { blob_id: null, content_id: contentId };
  }

  dropContent({ blob_id, content_id }: ObjectRow, at: TimeMs): void {
    if (blob_id !== null) this.statements.disownBlob.run(at, blob_id);
    if (content_id === null) return;
    for (const part of this.statements.parts.all(content_id)) {
      this.statements.disownBlob.run(at, Number(part['blob_id']));
    }
    this.statements.deleteParts.run(content_id);
    this.statements.deleteContent.run(content_id);
  }

  #refuseDead(content: readonly ContentPart[]): void {
    for (const { blob } of content) {
      if (this.statements.isBlobDead.get(blob.blobId)) throw bytesGone();
    }
  }

  #requireAlive(content: readonly ContentPart[]): void {
    for (const { blob } of content) {
      if (!this.statements.isBlobAlive.get(blob.blobId)) throw bytesGone();
    }
  }

  current(bucketId: BucketId, key: ObjectKey): Current | undefined {
    const found = this.statements.current.get(bucketId, bytesOfKey(key));
    if (found === undefined) return undefined;
    const row = found as unknown as ObjectRow;
    return { version: versionOf(bucketId, key, row), row };
  }

  account(accountId: AccountId): Account {
    const standing = this.#accounts.get(accountId);
    if (standing) return standing.account;
    const row = this.statements.account.get(accountId);
    if (row === undefined) throw accountNotFound();
    const account = accountOfRow(row);
    this.#accounts.set(accountId, { account, isChanged: false });
    return account;
  }

  changeStored(accountId: AccountId, change: Footprint): void {
    const account = this.account(accountId);
    if (change.countedBytes === 0 && change.storedBytes === 0) return;
    this.#accounts.set(accountId, { account: withChange(account, change), isChanged: true });
  }

  #owner(bucketId: BucketId): AccountId {
    const standing = this.#owners.get(bucketId);
    if (standing !== undefined) return standing;
    const row = this.statements.bucketOwner.get(bucketId);
    if (row === undefined) throw bucketNotFound();
    const owner = String(row['account_id']) as AccountId;
    this.#owners.set(bucketId, owner);
    return owner;
  }

  requireOwner(bucketId: BucketId, accountId: AccountId): void {
    if (this.#owner(bucketId) !== accountId) throw bucketNotFound();
  }
}
