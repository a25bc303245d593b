/**
 * Requests of S3 that came to the API: its clients read no JSON and would say "Not Found", or that
 * the bucket does not exist, so they are told in their own form where the gateway is.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyReply } from 'fastify';
import { xmlDocument, xmlElement, xmlText } from '../../kit/xml/xml-format.ts';

const S3_CREDENTIAL = /^AWS(?:4-| )/;
const S3_QUERY = /[?&](?:X-Amz-Signature|AWSAccessKeyId)=/;

/** Whether a request is signed as only S3's are, and bears nothing that the API reads. */
export function isS3Request({ headers, url = '' }: IncomingMessage): boolean {
  if (headers['x-api-key'] !== undefined) return false;
  const { authorization } = headers;
  return authorization === undefined ? S3_QUERY.test(url) : S3_CREDENTIAL.test(authorization);
}

/** Says so with a code on which no client tries again. */
export async function answerS3Request(reply: FastifyReply, s3Url: string): Promise<void> {
  const message = `This is the API of Pinfold. Its S3 gateway is at ${s3Url}`;
  const root = xmlElement(
    'Error',
    xmlText('Code', 'InvalidRequest'),
    xmlText('Message', message),
    xmlText('RequestId', reply.request.id),
  );
  await reply.code(400).type('application/xml').send(xmlDocument(root));
}
