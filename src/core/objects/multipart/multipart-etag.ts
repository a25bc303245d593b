import { hash } from 'node:crypto';
import { type Etag, etagOf } from '../../ids.ts';
import type { UploadPart } from './upload.ts';

/** The ETag of an object that came in parts: the MD5 of its parts' MD5s, and how many they are. */
export function multipartEtag(parts: readonly Pick<UploadPart, 'etag'>[]): Etag {
  const digests = Buffer.from(parts.map(({ etag }) => etag).join(''), 'hex');
  return etagOf(hash('md5', digests, 'hex'), parts.length);
}
