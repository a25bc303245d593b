/** The body of a form upload: small fields first, then the one file, whose bytes pass through. */

import { overloaded } from '../../../core/overloaded.ts';
import type { ByteSink } from '../../../core/ports/blob-store.ts';
import type { ByteSource } from '../../../core/ports/byte-source.ts';
import { ChunkList } from '../../../kit/chunk-list.ts';
import { FormDecoder, type FormEvent } from '../../../kit/forms/form-decoder.ts';
import { FormError } from '../../../kit/forms/form-error.ts';
import { isFormType, parseFormBoundary } from '../../../kit/forms/part-head.ts';
import type { RoomShare } from '../../../kit/shared-room.ts';
import { decodeUtf8 } from '../../../kit/text.ts';
import { invalidArgument, S3Refusal } from './s3-refusal.ts';

export type Form = {
  /** What stands before the file, by lower-case name. */
  readonly fields: ReadonlyMap<string, string>;
  /** As the sender wrote it; empty when it wrote none. */
  readonly fileName: string;
  /** Ends well only when the form did, with no second file behind the first. */
  readonly file: ByteSource;
};

/**
 * AWS's bound for everything before the file; here for all names with their values but the policy.
 * They are kept until the file comes, for senders who have proved nothing yet.
 */
const FIELDS_BYTES_MAX = 20 * 1024;
/** A policy lists all other fields and what they may be. */
const POLICY_BYTES_MAX = 64 * 1024;
/** Parts besides the file. */
const FIELDS_MAX = 100;
/** What stands behind the file is read off, so that the sender sees the answer, and dropped. */
const DROPPED_BYTES_MAX = 1024 * 1024;

/** `share`: where the fields are kept; the caller ends it. */
export type SentForm = {
  readonly body: ByteSource;
  readonly boundary: string;
  readonly share: Pick<RoomShare, 'take'>;
};

/** The boundary of a form; throws `PreconditionFailed`, `MalformedPOSTRequest`. */
export function formBoundary(contentType: string | undefined): string {
  if (contentType === undefined || !isFormType(contentType)) {
    throw new S3Refusal('PreconditionFailed', undefined, {
      Condition: 'Bucket POST must be of the enclosure-type multipart/form-data',
    });
  }
  return translated(() => parseFormBoundary(contentType));
}

/**
 * Reads the fields and lets `take` have them with the file; answers what it answers. The file's
 * bytes wait until they are asked for. Throws `MalformedPOSTRequest`, `MaxMessageLengthExceeded`,
 * `InvalidArgument`, `overloaded`, what `body` throws and what `take` throws.
 */
export async function receiveForm<T>(
  { body, boundary, share }: SentForm,
  take: (form: Form) => Promise<T>,
): Promise<T> {
  const reading = new FormReading(boundary, share);
  const ended = body.pipeTo((chunk) => reading.push(chunk)).then(() => reading.finish());
  try {
    return await take(await Promise.race([reading.begun(ended), ended.then(refuseWithoutFile)]));
  } finally {
    reading.abandon();
  }
}

function refuseWithoutFile(): never {
  throw oneFileOnly(0);
}

function oneFileOnly(count: number): S3Refusal {
  return invalidArgument(
    'POST requires exactly one file upload per request.',
    'file',
    String(count),
  );
}

type OpenField = { readonly name: string; readonly value: ChunkList };

class FormReading {
  readonly #share: SentForm['share'];
  readonly #decoder: FormDecoder;
  readonly #fields = new Map<string, string>();
  readonly #begun = Promise.withResolvers<string>();
  /** Keeps the bytes back until somebody takes the file. */
  readonly #asked = Promise.withResolvers<void>();
  #sink: ByteSink | undefined;
  #place: 'fields' | 'file' | 'behind' = 'fields';
  #field: OpenField | undefined;
  #fieldCount = 0;
  #fieldsBytes = 0;
  #policyBytes = 0;
  #droppedBytes = 0;

  constructor(boundary: string, share: SentForm['share']) {
    this.#share = share;
    this.#decoder = new FormDecoder(boundary);
    this.#asked.promise.catch(() => undefined);
  }

  /** The form as soon as its file begins; `ended` settles with all of the body. */
  async begun(ended: Promise<void>): Promise<Form> {
    const fileName = await this.#begun.promise;
    const file: ByteSource = {
      declaredBytes: undefined,
      pipeTo: async (sink) => {
        this.#sink = sink;
        this.#asked.resolve();
        await ended;
      },
    };
    return { fields: this.#fields, fileName, file };
  }

  push(chunk: Uint8Array): Promise<void> | undefined {
    return this.#drain(this.#decoder.push(chunk));
  }

  finish(): void {
    translated(() => this.#decoder.finish());
  }

  /** Lets go of a body that is still waiting; what is left of it is then unread. */
  abandon(): void {
    this.#asked.reject(new S3Refusal('MalformedPOSTRequest'));
  }

  #drain(events: Iterator<FormEvent, void>): Promise<void> | undefined {
    for (;;) {
      const { done, value } = translated(() => events.next());
      if (done === true) return undefined;
      const wait = this.#take(value);
      if (wait !== undefined) return wait.then(() => this.#drain(events));
    }
  }

  #take(event: FormEvent): Promise<void> | undefined {
    switch (event.kind) {
      case 'part':
        return this.#beginPart(event.head.name.toLowerCase(), event.head.fileName);
      case 'bytes':
        return this.#takeBytes(event.bytes);
      case 'partEnd':
        this.#endPart();
        return undefined;
    }
  }

  #beginPart(name: string, fileName: string | undefined): Promise<void> | undefined {
    if (name === 'file') {
      if (this.#place !== 'fields') throw oneFileOnly(2);
      this.#place = 'file';
      this.#begun.resolve(fileName ?? '');
      return this.#asked.promise;
    }
    this.#fieldCount++;
    if (this.#fieldCount > FIELDS_MAX) throw fieldsTooLong();
    if (this.#place === 'behind') return undefined;
    if (this.#fields.has(name)) {
      throw invalidArgument('The form has a field twice.', name);
    }
    this.#field = { name, value: new ChunkList() };
    this.#countField(name, Buffer.byteLength(name));
    return undefined;
  }

  #takeBytes(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#place === 'file') return this.#sink?.(bytes);
    if (this.#field === undefined) {
      this.#droppedBytes += bytes.length;
      if (this.#droppedBytes > DROPPED_BYTES_MAX) throw fieldsTooLong();
      return undefined;
    }
    this.#countField(this.#field.name, bytes.length);
    // A copy: a view would keep all of the chunk that it came in.
    this.#field.value.push(Uint8Array.from(bytes));
    return undefined;
  }

  #countField(name: string, bytes: number): void {
    if (name === 'policy') this.#policyBytes += bytes;
    else this.#fieldsBytes += bytes;
    if (this.#fieldsBytes > FIELDS_BYTES_MAX || this.#policyBytes > POLICY_BYTES_MAX) {
      throw fieldsTooLong();
    }
    if (!this.#share.take(bytes)) throw overloaded();
  }

  #endPart(): void {
    if (this.#place === 'file') this.#place = 'behind';
    if (this.#field === undefined) return;
    const { name, value } = this.#field;
    this.#field = undefined;
    const text = decodeUtf8(Buffer.concat(value.take()));
    if (text === undefined) throw invalidArgument('A field of the form is not UTF-8.', name);
    this.#fields.set(name, text);
  }
}

function fieldsTooLong(): S3Refusal {
  return new S3Refusal(
    'MaxMessageLengthExceeded',
    'Your POST request fields preceding the upload file were too large.',
    { MaxMessageLengthBytes: FIELDS_BYTES_MAX },
  );
}

function translated<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    throw new S3Refusal('MalformedPOSTRequest', error.message);
  }
}
