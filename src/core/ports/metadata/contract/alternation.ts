/** A writer that turns objects and uploads to and fro between two states. */
import type { Account } from '../../../identity/account/account.ts';
import type { ContentHash } from '../../../ids.ts';
import type { MultipartUpload } from '../../../objects/multipart/upload.ts';
import type { Metadata } from '../metadata.ts';
import { inTransaction } from './in-transaction.ts';
import { keyOf, NOW, samplePublication, timeAt } from './samples.ts';
import { sampleBeginning, sampleCompletion, samplePartOf, sampleUpload } from './upload-samples.ts';

/** What another thread is told: plain values. */
export type Alternation = { readonly account: Account; readonly rounds: number };

/** The part lists that stand under the key by turns; no two of anything are alike. */
export const PART_LISTS = [
  { parts: 2, sizeBytes: 10, contentHash: 'a'.repeat(64) as ContentHash },
  { parts: 3, sizeBytes: 20, contentHash: 'b'.repeat(64) as ContentHash },
] as const;

export const ALTERNATING_KEY = keyOf('alternating');
/** The groups between which an upload and an object move, with uploads between that stay. */
export const GROUPS = ['g/a/', 'g/m/', 'g/z/'] as const;
/** Keys between the first and the last group, which are in none. */
const STANDING_KEYS = ['g/b', 'g/c', 'g/d'];
/** More than a page holds: what is before and behind them is read by two statements. */
const STANDING_UPLOADS = 12;
/** Numbers of the uploads that move; above those of the completed ones. */
const MOVING = 900_000;

/** Resolves once all is written; each step is one commit. */
export async function alternate(metadata: Metadata, alternation: Alternation): Promise<void> {
  const { account, rounds } = alternation;
  const uploads = await Promise.all(
    Array.from({ length: 2 * rounds }, (_, step) => beginUpload(metadata, account, step)),
  );
  await standObjects(metadata, account);
  let moving = await standUploads(metadata, account);
  for (const [step, upload] of uploads.entries()) {
    const { parts, contentHash } = partListOf(step);
    const numbers = Array.from({ length: parts }, (_, index) => index + 1);
    const at = timeAt(step);
    const { etag } = await metadata.completeUpload(sampleCompletion(upload, numbers, { at }));
    const { bucketId, key } = upload;
    await inTransaction(metadata, (tx) =>
      tx.setContentHash({ bucketId, key, createdAt: at, etag }, contentHash),
    );
    moving = await move(metadata, account, { moving, step });
  }
}

function partListOf(step: number) {
  return PART_LISTS[step % 2 === 0 ? 0 : 1];
}

async function beginUpload(
  metadata: Metadata,
  account: Account,
  step: number,
): Promise<MultipartUpload> {
  const { parts, sizeBytes } = partListOf(step);
  const upload = sampleUpload(account, { key: ALTERNATING_KEY, number: step + 1 });
  await metadata.insertUpload(sampleBeginning(upload));
  for (let number = 1; number <= parts; number += 1) {
    const blobId = (step + 1) * 10 + number;
    await metadata.savePart(samplePartOf(upload, { number, blobId, sizeBytes }));
  }
  return upload;
}

/** The object that moves comes last: whoever sees it sees the others. */
async function standObjects(metadata: Metadata, account: Account): Promise<void> {
  for (const [index, key] of [...STANDING_KEYS, `${GROUPS[0]}k`].entries()) {
    await metadata.publishObject(samplePublication(account, { key, blobId: MOVING + index }));
  }
}

async function standUploads(metadata: Metadata, account: Account): Promise<MultipartUpload> {
  const [first, standing] = GROUPS;
  for (let number = 1; number <= STANDING_UPLOADS; number += 1) {
    const sample = { key: `${standing}${number}`, number: MOVING - number };
    await metadata.insertUpload(sampleBeginning(sampleUpload(account, sample)));
  }
  const upload = sampleUpload(account, { key: first, number: MOVING });
  await metadata.insertUpload(sampleBeginning(upload));
  return upload;
}

async function move(
  metadata: Metadata,
  account: Account,
  { moving, step }: { readonly moving: MultipartUpload; readonly step: number },
): Promise<MultipartUpload> {
  const [first, , last] = GROUPS;
  const [from, to] = step % 2 === 0 ? [first, last] : [last, first];
  const next = sampleUpload(account, { key: to, number: MOVING + step + 1 });
  await inTransaction(metadata, async (tx) => {
    await tx.abortUpload({ address: moving, at: NOW });
    await tx.insertUpload(sampleBeginning(next));
    await tx.moveObject({
      bucketId: account.defaultBucketId,
      from: keyOf(`${from}k`),
      to: keyOf(`${to}k`),
      at: NOW,
    });
  });
  return next;
}
