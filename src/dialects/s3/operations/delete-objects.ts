/** DeleteObjects: up to a thousand keys, each with an outcome of its own. */
import { scheduler } from 'node:timers/promises';

import {
  authorizeObjects,
  authorizeSomeObjects,
} from '../../../core/identity/access/authorize-objects.ts';
import type { DeleteConditions } from '../../../core/objects/commit/condition.ts';
import { deleteObject } from '../../../core/objects/write/delete-object.ts';
import type { XmlElement } from '../../../kit/xml/xml-element.ts';
import { type Xml, xmlElement, xmlList, xmlText } from '../../../kit/xml/xml-format.ts';
import { reportFailure } from '../../../server/listener/report-failure.ts';
import type { S3Deps } from '../deps.ts';
import { answerXml, findRefusal, statusOf } from '../wire/answers.ts';
import { deleteConditions } from '../wire/conditions.ts';
import type { Call } from '../wire/exchange.ts';
import { readKey } from '../wire/request-head.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { LONG_XML_BYTES_MAX, readXmlBody } from '../wire/xml-body.ts';
import { versionProblem } from './version-id.ts';

const KEYS_MAX = 1000;

type Entry = {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly conditions: DeleteConditions;
};

export async function deleteObjects(deps: S3Deps, call: Call): Promise<void> {
  // A document is read only from who may delete something here.
  authorizeSomeObjects(call.caller.principal, 'delete', call.bucket);
  const root = await readXmlBody(call, LONG_XML_BYTES_MAX, { isDigestRequired: true });
  const { entries, isQuiet } = readDelete(root);
  // All at once: the engine commits them in groups.
  const outcomes = await Promise.all(entries.map((entry) => deleteOne(deps, call, entry)));
  const shown = outcomes.filter(({ refusal }) => refusal !== undefined || !isQuiet);
  const elements: Xml[] = [];
  for (const [index, outcome] of shown.entries()) {
    // A thousand keys of nothing but control characters take some time to write.
    if (index % OUTCOMES_A_TURN === OUTCOMES_A_TURN - 1) await scheduler.yield();
    elements.push(outcomeElement(outcome));
  }
  answerXml(call, 'DeleteResult', xmlList(elements));
}

function readDelete(root: XmlElement): {
  readonly entries: readonly Entry[];
  readonly isQuiet: boolean;
} {
  if (root.name !== 'Delete') throw new S3Refusal('MalformedXML');
  const entries = root.children('Object').map((object): Entry => {
    const key = object.childText('Key');
    if (key === undefined || key === '') throw new S3Refusal('MalformedXML');
    const conditions = deleteConditions({
      etag: object.childText('ETag'),
      sizeBytes: object.childText('Size')?.trim(),
      lastModified: object.childText('LastModifiedTime')?.trim(),
    });
    return { key, versionId: object.childText('VersionId'), conditions };
  });
  if (entries.length < 1 || entries.length > KEYS_MAX) throw new S3Refusal('MalformedXML');
  return { entries, isQuiet: root.childText('Quiet')?.trim().toLowerCase() === 'true' };
}

type Outcome = {
  readonly key: string;
  readonly versionId: string | undefined;
  readonly refusal: S3Refusal | undefined;
};

async function deleteOne(
  deps: S3Deps,
  { bucket, caller, requestId }: Call,
  { key, versionId, conditions }: Entry,
): Promise<Outcome> {
  try {
    const problem = versionId === undefined ? undefined : versionProblem(versionId);
    if (problem !== undefined) throw problem;
    const objectKey = readKey(key);
    authorizeObjects(caller.principal, 'delete', bucket, objectKey);
    await deleteObject(deps, { bucket, key: objectKey, conditions });
    return { key, versionId, refusal: undefined };
  } catch (error) {
    const refusal = findRefusal(error) ?? new S3Refusal('InternalError');
    if (statusOf(refusal) >= 500) {
      reportFailure(deps, error, { requestId }, 'a delete failed');
    }
    return { key, versionId, refusal };
  }
}

const OUTCOMES_A_TURN = 50;
/** What is longer is no key, and is not said in full. */
const ECHO_LENGTH_MAX = 2048;

function outcomeElement({ key, versionId, refusal }: Outcome): Xml {
  const said = [
    xmlText('Key', key.slice(0, ECHO_LENGTH_MAX)),
    xmlText('VersionId', versionId?.slice(0, ECHO_LENGTH_MAX)),
  ];
  if (refusal === undefined) return xmlElement('Deleted', ...said);
  const { code, message } = refusal;
  return xmlElement('Error', ...said, xmlText('Code', code), xmlText('Message', message));
}
