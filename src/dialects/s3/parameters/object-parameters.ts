/** How the operations on objects take their parameters. */
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
  OTHER_THAN_IF_MATCH,
  READ_CONDITIONS,
  SOURCE_KEYS_OF_NOTHING,
  VERSION_OF_A_WRITE,
} from './header-groups.ts';
import { parameters, refusedAs } from './parameter-rules.ts';

const READ = parameters({
  headers: {
    honoured: [...READ_CONDITIONS, 'if-range', 'range', 'x-amz-checksum-mode'],
    refused: KEYS_OF_NOTHING,
  },
  query: {
    honoured: [
      ...['partNumber', 'response-cache-control', 'response-content-disposition'],
      ...['response-content-encoding', 'response-content-language', 'response-content-type'],
      ...['response-expires', 'versionId'],
    ],
  },
});

const OF_A_VERSION = parameters({ query: { honoured: ['versionId'] } });

/** Of what has no use without a copy or an upload in parts, on the one and the other. */
const APPENDING = refusedAs('NotImplemented', 'objects are written whole, never added to', [
  ...['content-range', 'x-amz-write-offset-bytes'],
]);

export const ACL_ELEMENTS = {
  honoured: [
    ...['AccessControlList', 'AccessControlList/Grant', 'AccessControlList/Grant/Grantee'],
    ...['AccessControlList/Grant/Grantee/ID', 'AccessControlList/Grant/Grantee/URI'],
    ...['AccessControlList/Grant/Grantee/EmailAddress', 'AccessControlList/Grant/Permission'],
    ...['Owner', 'Owner/ID'],
  ],
  harmless: ['AccessControlList/Grant/Grantee/DisplayName', 'Owner/DisplayName'],
} as const;

export const TAGGING_ELEMENTS = {
  honoured: ['TagSet', 'TagSet/Tag', 'TagSet/Tag/Key', 'TagSet/Tag/Value'],
} as const;

export const OBJECT_PARAMETERS = {
  PutObject: parameters({
    headers: {
      honoured: [
        ...['content-length', 'if-match', 'if-none-match'],
        ...[...CHECKSUM_VALUES, ...DESCRIPTION, ...DIGESTS, ...JUDGED],
      ],
      // They say what becomes of a source's, and there is none.
      harmless: ['x-amz-metadata-directive', 'x-amz-tagging-directive'],
      refused: { ...APPENDING, ...CUSTOMER_KEYS, ...DATES_AS_CONDITIONS, ...GRANTS, ...LOCKS },
    },
    query: { refused: VERSION_OF_A_WRITE },
  }),
  CopyObject: parameters({
    headers: {
      honoured: [
        ...['content-length', 'if-match', 'if-none-match', 'x-amz-checksum-algorithm'],
        ...['x-amz-copy-source', 'x-amz-metadata-directive', 'x-amz-source-expected-bucket-owner'],
        ...['x-amz-tagging-directive', ...COPY_CONDITIONS, ...DESCRIPTION, ...JUDGED],
      ],
      // No object has annotations.
      harmless: ['x-amz-object-annotation-directive'],
      refused: {
        ...CUSTOMER_KEYS,
        ...DATES_AS_CONDITIONS,
        ...GRANTS,
        ...LOCKS,
        ...SOURCE_KEYS_OF_NOTHING,
      },
    },
    query: { refused: VERSION_OF_A_WRITE },
  }),
  GetObject: READ,
  HeadObject: READ,
  DeleteObject: parameters({
    headers: {
      honoured: ['if-match', 'x-amz-if-match-last-modified-time', 'x-amz-if-match-size'],
      harmless: ['x-amz-bypass-governance-retention'],
      refused: OTHER_THAN_IF_MATCH,
    },
    query: { honoured: ['versionId'] },
  }),
  GetObjectAttributes: parameters({
    headers: {
      honoured: ['x-amz-max-parts', 'x-amz-object-attributes', 'x-amz-part-number-marker'],
      refused: KEYS_OF_NOTHING,
    },
    query: { honoured: ['versionId'] },
  }),
  GetObjectTagging: OF_A_VERSION,
  PutObjectTagging: parameters({
    headers: { honoured: DIGESTS },
    query: { honoured: ['versionId'] },
    elements: TAGGING_ELEMENTS,
  }),
  DeleteObjectTagging: OF_A_VERSION,
  GetObjectAcl: OF_A_VERSION,
  PutObjectAcl: parameters({
    headers: { honoured: [...DIGESTS, 'x-amz-acl'], refused: GRANTS },
    query: { honoured: ['versionId'] },
    elements: ACL_ELEMENTS,
  }),
} as const;
