/** A lane whose requests are one text with the object's number written into it at fixed places. */
import type { BodyPattern } from '../load/body-pattern.ts';
import { NUMBER_BYTES, writeNumber } from '../load/object-number.ts';
import type { Exchange, Lane } from './protocol.ts';

/** Stands in a template where the number goes; as long as a number. */
export const NUMBER_MARK = '\0NUMBER\0';

export type Template = {
  /** Everything before the uploaded body, with marks. */
  readonly text: string;
  /** What is uploaded after it. */
  readonly upload: BodyPattern | undefined;
  readonly answerBytes: number | undefined;
  /** Which object request `index` is about. */
  readonly numberOf: (index: number) => number;
};

/** Bodies up to this go out in one piece with their head. */
const ONE_PIECE_BYTES_MAX = 64 * 1024;

export function openTemplateLane({ text, upload, answerBytes, numberOf }: Template): Lane {
  const head = Buffer.from(text, 'latin1');
  const places = [...text.matchAll(new RegExp(NUMBER_MARK, 'g'))].map(({ index }) => index);
  const body = upload?.bytes ?? Buffer.alloc(0);
  const isOnePiece = body.length <= ONE_PIECE_BYTES_MAX;
  const own = isOnePiece ? body : body.subarray(0, NUMBER_BYTES);
  const first = Buffer.concat([head, own]);
  // The rest of a large body is the same for every request and every lane.
  const pieces = isOnePiece ? [first] : [first, body.subarray(NUMBER_BYTES)];
  const exchange: { -readonly [Key in keyof Exchange]: Exchange[Key] } = {
    pieces,
    number: 0,
    answerBytes,
  };
  return {
    next: (index) => {
      const number = numberOf(index);
      exchange.number = number;
      for (const place of places) writeNumber(first, place, number);
      upload?.stamp(first, head.length, number);
      return exchange;
    },
  };
}
