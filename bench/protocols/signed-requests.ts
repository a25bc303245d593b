/** What differs from request to request, signed ahead: key, payload hash and signature. */
import { hash } from 'node:crypto';
import { EMPTY_SHA256 } from '../../src/kit/sigv4/sign.ts';
import type { BodyPattern } from '../load/body-pattern.ts';
import { NUMBER_BYTES, objectName } from '../load/object-number.ts';
import type { Plan } from '../load/plan.ts';
import type { Exchange, Lane } from './protocol.ts';
import { HEX_BYTES, type S3Signer } from './s3-signer.ts';

const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
/** More than any server answers, so that a run ends by its clock and not for want of signatures. */
const UPLOADS_A_SECOND_MAX = 25_000;
const UPLOADS_A_SECOND_ON_ONE_MAX = 5000;
const UPLOAD_BYTES_A_SECOND_MAX = 2 ** 30;
/** Bodies up to this go out in one piece with their head. */
const ONE_PIECE_BYTES_MAX = 64 * 1024;

export type SignedPlan = {
  readonly plan: Plan;
  readonly bucket: string;
  readonly signer: S3Signer;
  /** What is uploaded or answered. */
  readonly pattern: BodyPattern | undefined;
};

export class SignedRequests {
  readonly requestsMax: number;
  /** The head of every request, with room for what differs. */
  readonly head: Buffer;
  /** What follows the head, with room for the object's stamp. */
  readonly body: BodyPattern | undefined;
  readonly answerBytes: number | undefined;
  readonly #plan: Plan;
  readonly #places: readonly Place[];
  readonly #records: Buffer;
  readonly #recordBytes: number;

  constructor(signed: SignedPlan) {
    const { plan, pattern } = signed;
    this.#plan = plan;
    this.body = plan.action === 'put' ? pattern : undefined;
    this.answerBytes = plan.action === 'get' || plan.action === 'head' ? plan.sizeBytes : undefined;
    const count = recordsOf(plan);
    this.requestsMax = goesRound(plan) ? Number.MAX_SAFE_INTEGER : count;
    const { text, places } = headOf(signed);
    this.head = Buffer.from(text, 'latin1');
    this.#places = places;
    this.#recordBytes = places.reduce((sum, { length }) => sum + length, 0);
    this.#records = this.#sign(signed, count);
  }

  /** The object that request `index` is about. */
  numberOf(index: number): number {
    const { objects } = this.#plan;
    // A walk through all of them in steps, as `count` is a power of two and the step odd.
    return objects.first + (goesRound(this.#plan) ? (index * 7919) & (objects.count - 1) : index);
  }

  /** Writes what differs in request `index` into a copy of the head. */
  write(target: Buffer, index: number): void {
    let from = (index * this.#recordBytes) % this.#records.length;
    for (const { at, length } of this.#places) {
      this.#records.copy(target, at, from, from + length);
      from += length;
    }
  }

  #sign({ plan, bucket, signer, pattern }: SignedPlan, count: number): Buffer {
    const records = Buffer.alloc(this.#recordBytes * count);
    const method = plan.action.toUpperCase();
    const isHashed = isPayloadHashed(plan);
    const body = isHashed ? Buffer.from(pattern?.bytes ?? []) : undefined;
    let end = 0;
    for (let index = 0; index < count; index += 1) {
      const number = this.numberOf(index);
      const name = objectName(plan.objects, number);
      let payloadHash = constantHash(plan);
      if (body !== undefined) {
        pattern?.stamp(body, 0, number);
        payloadHash = hash('sha256', body, 'hex');
      }
      const path = `/${bucket}/${name}`;
      const signature = signer.sign({ method, path, query: '', payloadHash });
      const record = isHashed ? name + payloadHash + signature : name + signature;
      end += records.write(record, end, 'latin1');
    }
    return records;
  }
}

/** A lane has a head of its own; the signatures are shared. */
export function openSignedLane(requests: SignedRequests): Lane {
  const { head, body, answerBytes } = requests;
  const bytes = body?.bytes ?? Buffer.alloc(0);
  const isOnePiece = bytes.length <= ONE_PIECE_BYTES_MAX;
  const first = Buffer.concat([head, isOnePiece ? bytes : bytes.subarray(0, NUMBER_BYTES)]);
  // The rest of a large body is the same for every request and every lane.
  const pieces = isOnePiece ? [first] : [first, bytes.subarray(NUMBER_BYTES)];
  const exchange: { -readonly [Key in keyof Exchange]: Exchange[Key] } = {
    pieces,
    number: 0,
    answerBytes,
  };
  return {
    next: (index) => {
      exchange.number = requests.numberOf(index);
      requests.write(first, index);
      body?.stamp(first, head.length, exchange.number);
      return exchange;
    },
  };
}

type Place = { readonly at: number; readonly length: number };

function headOf({ plan, bucket, signer }: SignedPlan) {
  const name = objectName(plan.objects, plan.objects.first);
  const isHashed = isPayloadHashed(plan);
  const places: Place[] = [];
  let text = '';
  const leave = (length: number) => {
    places.push({ at: text.length, length });
    text += ' '.repeat(length);
  };
  text += `${plan.action.toUpperCase()} /${bucket}/`;
  leave(name.length);
  text += ` HTTP/1.1\r\nhost: ${signer.host}\r\nx-amz-date: ${signer.amzDate}\r\nx-amz-content-sha256: `;
  if (isHashed) leave(HEX_BYTES);
  else text += constantHash(plan);
  text += `\r\nauthorization: ${signer.authorizationStart}`;
  leave(HEX_BYTES);
  if (plan.action === 'put') {
    text += `\r\ncontent-type: application/octet-stream\r\ncontent-length: ${plan.sizeBytes}`;
  }
  text += '\r\n\r\n';
  return { text, places };
}

function isPayloadHashed({ action, payload }: Plan): boolean {
  return action === 'put' && payload === 'signed';
}

/** The payload hash of requests whose own body is not hashed. */
function constantHash({ action }: Plan): string {
  return action === 'put' ? UNSIGNED_PAYLOAD : EMPTY_SHA256;
}

function goesRound({ action }: Plan): boolean {
  return action === 'get' || action === 'head';
}

function recordsOf(plan: Plan): number {
  const { connections, objects, requestsMax, runMs, sizeBytes } = plan;
  if (goesRound(plan)) return Math.min(objects.count, requestsMax);
  if (plan.action === 'delete') return requestsMax;
  const aSecond = Math.min(
    UPLOADS_A_SECOND_MAX,
    UPLOADS_A_SECOND_ON_ONE_MAX * connections,
    UPLOAD_BYTES_A_SECOND_MAX / Math.max(1, sizeBytes),
  );
  return Math.min(requestsMax, Math.ceil((aSecond * runMs) / 1000) + connections);
}
