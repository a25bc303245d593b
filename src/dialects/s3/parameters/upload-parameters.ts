/** How the operations of uploads in parts take their parameters. */
import {
  CHECKSUM_VALUES,
  COPY_CONDITIONS,
  CUSTOMER_KEYS,
  DATES_AS_CONDITIONS,
  DESCRIPTION,
  DIGESTS,
  GRANTS,
  JUDGED,
  KEYS_OF_NOTHING,
  LOCKS,
  SOURCE_KEYS_OF_NOTHING,
  VERSION_OF_A_WRITE,
} from './header-groups.ts';
import { parameters, refusedAs } from './parameter-rules.ts';

const PART_ADDRESS = ['partNumber', 'uploadId'] as const;
/** Looked at when the upload is completed; clients send them with its beginning too. */
const CONDITIONS_OF_THE_END = ['if-match', 'if-none-match'] as const;

export const UPLOAD_PARAMETERS = {
  CreateMultipartUpload: parameters({
    headers: {
      honoured: [...['x-amz-checksum-algorithm', 'x-amz-checksum-type', ...DESCRIPTION, ...JUDGED]],
      harmless: [
        ...['x-amz-metadata-directive', 'x-amz-tagging-directive', ...CONDITIONS_OF_THE_END],
      ],
      refused: { ...CUSTOMER_KEYS, ...GRANTS, ...LOCKS },
    },
    query: { refused: VERSION_OF_A_WRITE },
  }),
  UploadPart: parameters({
    headers: {
      honoured: [
        ...['content-length', 'x-amz-server-side-encryption', ...CHECKSUM_VALUES, ...DIGESTS],
      ],
      refused: KEYS_OF_NOTHING,
    },
    query: { honoured: PART_ADDRESS, refused: VERSION_OF_A_WRITE },
  }),
  UploadPartCopy: parameters({
    headers: {
      honoured: [
        ...['x-amz-copy-source', 'x-amz-copy-source-range', 'x-amz-source-expected-bucket-owner'],
        ...['x-amz-server-side-encryption', ...COPY_CONDITIONS],
      ],
      refused: { ...KEYS_OF_NOTHING, ...SOURCE_KEYS_OF_NOTHING },
    },
    query: { honoured: PART_ADDRESS, refused: VERSION_OF_A_WRITE },
  }),
  ListParts: parameters({
    headers: { refused: KEYS_OF_NOTHING },
    query: { honoured: ['encoding-type', 'max-parts', 'part-number-marker', 'uploadId'] },
  }),
  CompleteMultipartUpload: parameters({
    headers: {
      honoured: [
        ...['if-match', 'if-none-match', 'x-amz-checksum-type', 'x-amz-mp-object-size'],
        ...CHECKSUM_VALUES,
      ],
      refused: { ...DATES_AS_CONDITIONS, ...KEYS_OF_NOTHING },
    },
    query: { honoured: ['uploadId'] },
    elements: {
      honoured: [
        ...['Part', 'Part/ETag', 'Part/PartNumber', 'Part/ChecksumCRC32', 'Part/ChecksumCRC32C'],
        ...['Part/ChecksumCRC64NVME', 'Part/ChecksumMD5', 'Part/ChecksumSHA1'],
        ...['Part/ChecksumSHA256', 'Part/ChecksumSHA512', 'Part/ChecksumXXHASH128'],
        ...['Part/ChecksumXXHASH3', 'Part/ChecksumXXHASH64'],
      ],
      // Sent back from what ListParts answered, by clients that send all of it.
      harmless: ['Part/LastModified', 'Part/Size'],
    },
  }),
  AbortMultipartUpload: parameters({
    headers: {
      refused: refusedAs('NotImplemented', 'it is no condition of this operation', [
        'x-amz-if-match-initiated-time',
      ]),
    },
    query: { honoured: ['uploadId'] },
  }),
} as const;
