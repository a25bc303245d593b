/** Upload operations, links, usage and audit of the memory engine. */
import type { UploadOperation } from '../../../core/files/operation.ts';
import type { PublicLink } from '../../../core/files/public-link.ts';
import type { FileReads, FileWrites } from '../../../core/ports/metadata/files.ts';
import type { TrailWrites, UsageReads } from '../../../core/ports/metadata/trail.ts';
import type { UsageDelta } from '../../../core/usage.ts';
import { FINISHED_STATUSES, OPEN_STATUSES } from '../rows/files.ts';
import { UsageSums } from '../usage-sums.ts';
import { compareText, deleteWhere, type Holder, insertNew } from './memory-state.ts';

export function memoryFileReads(holder: Holder): FileReads {
  return {
    findOperation: async (operationId) => holder.current.operations.get(operationId),
    findNewestOperation: async (accountId, key) =>
      [...holder.current.operations.values()]
        .filter((operation) => operation.accountId === accountId && operation.key === key)
        .sort(newestOperationFirst)
        .at(0),
    findLink: async (hash) => holder.current.links.get(hash),
    listLinks: async ({ accountId, after, limit }) =>
      [...holder.current.links.values()]
        .filter((link) => link.accountId === accountId)
        .filter((link) => after === undefined || newestLinkFirst(link, after) > 0)
        .sort(newestLinkFirst)
        .slice(0, limit),
  };
}

function newestOperationFirst(a: UploadOperation, b: UploadOperation): number {
  return b.createdAt - a.createdAt || compareText(b.operationId, a.operationId);
}

type LinkPosition = Pick<PublicLink, 'createdAt' | 'hash'>;

function newestLinkFirst(a: LinkPosition, b: LinkPosition): number {
  return b.createdAt - a.createdAt || compareText(a.hash, b.hash);
}

export function memoryFileWrites(holder: Holder): FileWrites {
  return {
    async saveOperation(operation) {
      holder.current.operations.set(operation.operationId, operation);
    },
    async failOperations({ updatedBefore, error, at }) {
      let count = 0;
      for (const [operationId, operation] of holder.current.operations) {
        if (!OPEN_STATUSES.includes(operation.status)) continue;
        if (operation.updatedAt >= updatedBefore) continue;
        const failed = { ...operation, status: 'failed', error, updatedAt: at } as const;
        holder.current.operations.set(operationId, failed);
        count += 1;
      }
      return count;
    },
    deleteOperations: async (before, limit) =>
      deleteWhere(
        holder.current.operations,
        ({ status, updatedAt }) => FINISHED_STATUSES.includes(status) && updatedAt < before,
        limit,
      ),
    countLinks: async (accountId, limit) => {
      const links = [...holder.current.links.values()];
      return Math.min(links.filter((link) => link.accountId === accountId).length, limit);
    },
    async insertLink(link) {
      insertNew(holder.current.links, link.hash, link);
    },
    async deleteLink(accountId, hash) {
      const { links } = holder.current;
      return links.get(hash)?.accountId === accountId && links.delete(hash);
    },
  };
}

export function memoryUsageReads(holder: Holder): UsageReads {
  return {
    async sumUsage({ accountId, from, to }) {
      const sums = new UsageSums();
      for (const delta of holder.current.usage) {
        if (delta.accountId !== accountId) continue;
        if (delta.hour >= from && delta.hour < to) sums.add(delta);
      }
      return sums.sums().toSorted(compareUsage);
    },
    listAudit: async ({ accountId, limit }) =>
      holder.current.audit
        .filter((entry) => accountId === undefined || entry.accountId === accountId)
        .reverse()
        // Stable: of one time, the one appended last stays first.
        .sort((a, b) => b.at - a.at)
        .slice(0, limit),
  };
}

function compareUsage(a: UsageDelta, b: UsageDelta): number {
  return (
    a.hour - b.hour ||
    compareText(a.meter, b.meter) ||
    compareText(a.source, b.source) ||
    a.bucketId - b.bucketId ||
    compareText(a.credential, b.credential) ||
    compareText(a.link ?? '', b.link ?? '')
  );
}

export function memoryTrailWrites(holder: Holder): TrailWrites {
  return {
    async appendUsage(deltas) {
      holder.current.usage.push(...deltas);
    },
    async appendAudit(entry) {
      holder.current.audit.push(entry);
    },
  };
}
