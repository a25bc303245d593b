/** Answers of this dialect: XML, nothing at all, and errors. */
import type { OutgoingHttpHeaders } from 'node:http';
import { isServiceError } from '../../../core/errors.ts';
import { sayableText } from '../../../kit/xml/escape-xml.ts';
import { XmlError } from '../../../kit/xml/xml-error.ts';
import {
  type Xml,
  xmlDocument,
  xmlElement,
  xmlElementWith,
  xmlText,
  xmlTextWith,
} from '../../../kit/xml/xml-format.ts';
import type { Exchange } from './exchange.ts';
import { S3_CODES } from './s3-codes.ts';
import { S3Refusal } from './s3-refusal.ts';
import { refusalOf } from './service-errors.ts';

/** The namespace of results; errors have none. */
const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

type Answering = Pick<Exchange, 'response' | 'baseHeaders' | 'head'>;

/** 200 with a document whose root is `name`. */
export function answerXml(
  exchange: Answering,
  name: string,
  ...content: readonly (Xml | undefined)[]
): void {
  answerDocument(exchange, { status: 200 }, resultElement(name, ...content));
}

/** The root of a result. */
export function resultElement(name: string, ...content: readonly (Xml | undefined)[]): Xml {
  return xmlElementWith(name, { xmlns: NAMESPACE }, ...content);
}

/** A root that holds a text and nothing else. */
export function resultText(name: string, text: string): Xml {
  return xmlTextWith(name, { xmlns: NAMESPACE }, text);
}

export type DocumentAnswer = {
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  /** Ends the answer when it may: the end closes a connection that is told to be closing. */
  readonly endBy?: (end: () => void) => void;
};

export function answerDocument(
  { response, baseHeaders, head }: Answering,
  answer: DocumentAnswer,
  root: Xml,
): void {
  const body = Buffer.from(xmlDocument(root), 'utf8');
  response.writeHead(answer.status, {
    ...baseHeaders,
    ...answer.headers,
    'content-type': 'application/xml',
    'content-length': body.length,
  });
  const isBare = head.method === 'HEAD';
  if (answer.endBy !== undefined) {
    if (isBare) response.flushHeaders();
    else response.write(body);
    answer.endBy(() => response.end());
  } else if (isBare) response.end();
  else response.end(body);
}

/** An answer without a body. */
export function answerEmpty(
  { response, baseHeaders }: Answering,
  status: number,
  headers: OutgoingHttpHeaders = {},
): void {
  const length = status === 204 || status === 304 ? {} : { 'content-length': 0 };
  response.writeHead(status, { ...baseHeaders, ...headers, ...length });
  response.end();
}

/** What a client reads for `error`; a fault of ours is `undefined`. */
export function findRefusal(error: unknown): S3Refusal | undefined {
  if (error instanceof S3Refusal) return error;
  if (error instanceof XmlError) return new S3Refusal('MalformedXML');
  if (isServiceError(error)) return refusalOf(error);
  return undefined;
}

/** The error element: as an answer's root, and in a 200 that failed late. */
export function errorElement(
  refusal: S3Refusal,
  place: { readonly resource: string; readonly requestId: string },
): Xml {
  return xmlElement(
    'Error',
    xmlText('Code', refusal.code),
    xmlText('Message', sayableText(refusal.message)),
    xmlText('Resource', sayableText(place.resource)),
    ...Object.entries(refusal.facts).map(([name, value]) =>
      xmlText(name, typeof value === 'string' ? sayableText(value) : value),
    ),
    xmlText('RequestId', place.requestId),
    xmlText('HostId', HOST_ID),
  );
}

/** There is one host, and AWS's own value means nothing to clients. */
export const HOST_ID = 'pinfold';

/** Headers that some errors bear besides their document. */
export function errorHeaders(refusal: S3Refusal): OutgoingHttpHeaders {
  const sizeBytes = refusal.facts['ActualObjectSize'];
  if (sizeBytes !== undefined) return { 'content-range': `bytes */${sizeBytes}` };
  if (refusal.code === 'SlowDown' || refusal.code === 'ServiceUnavailable') {
    return { 'retry-after': '1' };
  }
  return {};
}

export function statusOf(refusal: S3Refusal): number {
  return S3_CODES[refusal.code].status;
}
