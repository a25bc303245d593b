/** PutObject: the one writing path of the core, between S3's headers. */
import { withKeptChecksums } from '../../../core/objects/write/kept-checksums.ts';
import { putObject as writeObject } from '../../../core/objects/write/put-object.ts';
import { credentialLabel } from '../../../core/principal.ts';
import type { S3Deps } from '../deps.ts';
import { answerEmpty } from '../wire/answers.ts';
import { bodyDemands, checksumHeaders } from '../wire/checksum-headers.ts';
import { writeConditions } from '../wire/conditions.ts';
import type { Call, ObjectCall } from '../wire/exchange.ts';
import { objectBody } from '../wire/object-body.ts';
import { describeObject, refuseUnkept, requireTrueAcl } from '../wire/object-description.ts';

export async function putObject(deps: S3Deps, call: ObjectCall): Promise<void> {
  const { head, caller, bucket } = call;
  const { headers } = head;
  requireTrueAcl(headers, { isPublic: bucket.publicRead });
  refuseUnkept(headers);
  const { source, trailers } = objectBody(call);
  const { isExpectingContinue } = call;
  const version = await writeObject(
    deps,
    {
      accountId: bucket.accountId,
      bucketId: bucket.bucketId,
      key: call.key,
      description: describeObject(headers),
      body: source,
      demands: withKeptChecksums(bodyDemands(headers, caller.payload, trailers)),
      conditions: writeConditions(headers),
      usage: usageOf(call),
      isExpectingContinue,
      describeOperation: undefined,
    },
    {
      onAdmitted: () => {
        call.sendContinue();
        return undefined;
      },
    },
  );
  deps.metrics.countBytes('in', version.sizeBytes);
  answerEmpty(call, 200, { etag: `"${version.etag}"`, ...checksumHeaders(version.checksum) });
}

/** How usage rows name the write. */
export function usageOf({ caller }: Call): { readonly source: 's3'; readonly credential: string } {
  const { principal } = caller;
  return { source: 's3', credential: principal === undefined ? '' : credentialLabel(principal) };
}
