/** Tags of objects and buckets: their rules, their XML and their header form. */
import type { XmlElement } from '../../../kit/xml/xml-element.ts';
import { type Xml, xmlElement, xmlText } from '../../../kit/xml/xml-format.ts';
import { invalidArgument, S3Refusal } from './s3-refusal.ts';

export type Tags = Readonly<Record<string, string>>;

const KEY_LENGTH_MAX = 128;
const VALUE_LENGTH_MAX = 256;
export const OBJECT_TAGS_MAX = 10;
export const BUCKET_TAGS_MAX = 50;
const LETTERS = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

/** Reads `<Tagging><TagSet><Tag>…`. Throws `MalformedXML`, `InvalidTag`, `BadRequest`. */
export function readTagging(root: XmlElement, countMax: number): Tags {
  const set = root.name === 'Tagging' ? root.child('TagSet') : undefined;
  if (set === undefined) throw new S3Refusal('MalformedXML');
  return readTags(set, countMax);
}

/** Reads the tags that stand in `set`; none where there is no set. Throws as `readTagging` does. */
export function readTags(set: XmlElement | undefined, countMax: number): Tags {
  const pairs = (set?.children('Tag') ?? []).map((tag) => {
    const key = tag.childText('Key');
    const value = tag.childText('Value');
    if (key === undefined || value === undefined) throw new S3Refusal('MalformedXML');
    return [key, value] as const;
  });
  return checkTags(pairs, countMax);
}

/**
 * Reads `x-amz-tagging`, a URL-encoded query string in latin1 text; empty pairs are nothing. Throws
 * `InvalidArgument` for what is none, or names a tag twice or not at all, `InvalidTag` and
 * `BadRequest`.
 */
export function readTaggingHeader(text: string | undefined): Tags {
  if (text === undefined || text === '') return {};
  const pairs = text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return [
        decodeField(text, at < 0 ? pair : pair.slice(0, at)),
        decodeField(text, at < 0 ? '' : pair.slice(at + 1)),
      ] as const;
    });
  const keys = new Set(pairs.map(([key]) => key));
  if (keys.has('') || keys.size < pairs.length) throw headerMalformed(text);
  return checkTags(pairs, OBJECT_TAGS_MAX);
}

function decodeField(text: string, field: string): string {
  try {
    return decodeURIComponent(field.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) throw headerMalformed(text);
    throw error;
  }
}

function headerMalformed(text: string): S3Refusal {
  return invalidArgument(
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    'x-amz-tagging',
    text,
  );
}

function checkTags(pairs: readonly (readonly [string, string])[], countMax: number): Tags {
  if (pairs.length > countMax) {
    throw new S3Refusal('BadRequest', `There can be no more than ${countMax} tags.`);
  }
  const tags: Record<string, string> = Object.create(null);
  for (const [key, value] of pairs) {
    if (key.toLowerCase().startsWith('aws:')) {
      throw new S3Refusal(
        'InvalidTag',
        'System tags cannot be added/updated by requester: keys that begin with aws: are reserved',
        { TagKey: key },
      );
    }
    if (key === '' || lengthOf(key) > KEY_LENGTH_MAX || !LETTERS.test(key)) {
      throw new S3Refusal('InvalidTag', 'The TagKey you have provided is invalid', { TagKey: key });
    }
    if (lengthOf(value) > VALUE_LENGTH_MAX || !LETTERS.test(value)) {
      throw new S3Refusal('InvalidTag', 'The TagValue you have provided is invalid', {
        TagKey: key,
        TagValue: value,
      });
    }
    if (key in tags) {
      throw new S3Refusal('InvalidTag', 'Cannot provide multiple Tags with the same key', {
        TagKey: key,
      });
    }
    tags[key] = value;
  }
  return { ...tags };
}

/** In characters, of which JavaScript counts some twice. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _character of text) length += 1;
  return length;
}

/** In order of their keys as bytes: JavaScript keeps names like `10` and `9` in one of its own. */
export function tagSetElement(tags: Tags): Xml {
  const sorted = Object.entries(tags).sort(([one], [other]) =>
    Buffer.compare(Buffer.from(one), Buffer.from(other)),
  );
  return xmlElement(
    'TagSet',
    ...sorted.map(([key, value]) =>
      xmlElement('Tag', xmlText('Key', key), xmlText('Value', value)),
    ),
  );
}
