/**
 * Where the next page of uploads begins when its key marker cannot say the key: the marker of the
 * upload then bears the key too, after a dot, which no upload's id has.
 */
import { decodeBase64Url, encodeBase64Url } from '../../../../kit/base64.ts';

export function formatUploadMarker(at: {
  readonly key: string;
  readonly uploadId: string;
}): string {
  return `${at.uploadId}.${encodeBase64Url(Buffer.from(at.key, 'utf8'))}`;
}

/** What a marker says; `key` is undefined where the key marker is to be believed. */
export function parseUploadMarker(text: string): {
  readonly key: string | undefined;
  readonly uploadId: string;
} {
  const dot = text.indexOf('.');
  const bytes = dot < 0 ? undefined : decodeBase64Url(text.slice(dot + 1));
  if (bytes === undefined) return { key: undefined, uploadId: text };
  return { key: Buffer.from(bytes).toString('utf8'), uploadId: text.slice(0, dot) };
}
