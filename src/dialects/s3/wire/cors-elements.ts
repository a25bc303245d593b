/** CORS rules in XML: `<CORSConfiguration><CORSRule>…`. */

import { CORS_RULES_MAX } from '../../../core/limits.ts';
import type { CorsRule } from '../../../core/objects/buckets/cors-rules.ts';
import type { XmlElement } from '../../../kit/xml/xml-element.ts';
import { type Xml, xmlElement, xmlList, xmlText } from '../../../kit/xml/xml-format.ts';
import { S3Refusal } from './s3-refusal.ts';

/** Those that a rule may allow, and a page may ask for. */
export const CORS_METHODS: ReadonlySet<string> = new Set(['GET', 'PUT', 'HEAD', 'POST', 'DELETE']);
const ID_LENGTH_MAX = 255;
/** A name of a header, or a pattern of some: it comes back in headers of answers. */
const HEADER_PATTERN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const ELEMENTS: ReadonlySet<string> = new Set([
  ...['ID', 'AllowedOrigin', 'AllowedMethod', 'AllowedHeader', 'ExposeHeader', 'MaxAgeSeconds'],
]);

/** Reads the rules in their order. Throws `MalformedXML`, `InvalidRequest`. */
export function readCorsRules(root: XmlElement): readonly CorsRule[] {
  const isRules = root.elements.every(({ name }) => name === 'CORSRule');
  if (root.name !== 'CORSConfiguration' || !isRules || root.elements.length === 0) {
    throw new S3Refusal('MalformedXML');
  }
  if (root.elements.length > CORS_RULES_MAX) {
    throw invalidRequest(
      `The number of CORS rules should not exceed allowed limit of ${CORS_RULES_MAX} rules.`,
    );
  }
  return root.elements.map(readRule);
}

function readRule(rule: XmlElement): CorsRule {
  if (!rule.elements.every(({ name }) => ELEMENTS.has(name))) throw new S3Refusal('MalformedXML');
  const allowedOrigins = textsOf(rule, 'AllowedOrigin');
  const allowedMethods = textsOf(rule, 'AllowedMethod');
  if (allowedOrigins.length === 0 || allowedMethods.length === 0) {
    throw new S3Refusal('MalformedXML');
  }
  const allowedHeaders = textsOf(rule, 'AllowedHeader');
  const exposeHeaders = textsOf(rule, 'ExposeHeader');
  requireMethods(allowedMethods);
  requireOneWildcard('AllowedOrigin', allowedOrigins);
  requireOneWildcard('AllowedHeader', allowedHeaders);
  requireOneWildcard('ExposeHeader', exposeHeaders);
  requireHeaderNames('AllowedHeader', allowedHeaders);
  requireHeaderNames('ExposeHeader', exposeHeaders);
  const id = onlyText(rule, 'ID');
  if (id !== undefined && id.length > ID_LENGTH_MAX) {
    throw invalidRequest(`The ID of a rule has at most ${ID_LENGTH_MAX} characters.`);
  }
  const maxAgeSeconds = readMaxAge(onlyText(rule, 'MaxAgeSeconds'));
  return {
    ...(id === undefined ? {} : { id }),
    allowedOrigins,
    allowedMethods,
    allowedHeaders,
    exposeHeaders,
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  };
}

function textsOf(rule: XmlElement, name: string): readonly string[] {
  return rule.children(name).map(({ text }) => text);
}

function onlyText(rule: XmlElement, name: string): string | undefined {
  const texts = textsOf(rule, name);
  if (texts.length > 1) throw new S3Refusal('MalformedXML');
  return texts[0];
}

function requireMethods(methods: readonly string[]): void {
  const wrong = methods.find((method) => !CORS_METHODS.has(method));
  if (wrong === undefined) return;
  throw invalidRequest(
    `Found unsupported HTTP method in CORS config. Unsupported method is ${wrong}`,
  );
}

function requireOneWildcard(name: string, patterns: readonly string[]): void {
  const wrong = patterns.find((pattern) => pattern.split('*').length > 2);
  if (wrong === undefined) return;
  throw invalidRequest(`${name} "${wrong}" can not have more than one wildcard.`);
}

function requireHeaderNames(name: string, patterns: readonly string[]): void {
  const wrong = patterns.find((pattern) => !HEADER_PATTERN.test(pattern));
  if (wrong === undefined) return;
  throw invalidRequest(`${name} "${wrong}" contains invalid character.`);
}

function readMaxAge(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  // -1 is what tools write for: ask each time.
  if (!/^(?:\d{1,9}|-1)$/.test(text)) throw new S3Refusal('MalformedXML');
  return Number(text);
}

function invalidRequest(message: string): S3Refusal {
  return new S3Refusal('InvalidRequest', message);
}

/** The inverse of what `readCorsRules` does to one rule. */
export function corsRuleElement(rule: CorsRule): Xml {
  const each = (name: string, texts: readonly string[]) =>
    xmlList(texts.map((text) => xmlText(name, text)));
  return xmlElement(
    'CORSRule',
    xmlText('ID', rule.id),
    each('AllowedOrigin', rule.allowedOrigins),
    each('AllowedMethod', rule.allowedMethods),
    each('AllowedHeader', rule.allowedHeaders),
    each('ExposeHeader', rule.exposeHeaders),
    xmlText('MaxAgeSeconds', rule.maxAgeSeconds),
  );
}
