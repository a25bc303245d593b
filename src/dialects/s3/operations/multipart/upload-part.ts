/** UploadPart. */
import { uploadPart as storePart } from '../../../../core/objects/multipart/upload-part.ts';
import type { S3Deps } from '../../deps.ts';
import { answerEmpty } from '../../wire/answers.ts';
import { bodyDemands, checksumValueHeader } from '../../wire/checksum-headers.ts';
import type { ObjectCall } from '../../wire/exchange.ts';
import { objectBody } from '../../wire/object-body.ts';
import { refuseUnkept } from '../../wire/object-description.ts';
import { usageOf } from '../put-object.ts';
import { partNumberOf, uploadAddress } from './upload-address.ts';

export async function uploadPart(deps: S3Deps, call: ObjectCall): Promise<void> {
  const { head, caller } = call;
  const partNumber = partNumberOf(call);
  refuseUnkept(head.headers);
  const { source, trailers } = objectBody(call);
  const { part, checksum } = await storePart(
    deps,
    {
      address: uploadAddress(call),
      partNumber,
      body: source,
      demands: bodyDemands(head.headers, caller.payload, trailers),
      usage: usageOf(call),
      from: 'sender',
    },
    {
      onAdmitted: () => {
        call.sendContinue();
        return undefined;
      },
    },
  );
  deps.metrics.countBytes('in', part.sizeBytes);
  answerEmpty(call, 200, { etag: `"${part.etag}"`, ...checksumValueHeader(checksum) });
}
