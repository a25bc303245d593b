/**
 * Reads the small XML documents that clients send. What is well-formed is decided by saxes; this
 * file bounds what it may build, refuses what S3 never needs, and makes elements of its events.
 */
import { scheduler } from 'node:timers/promises';
import { SaxesParser } from 'saxes';
import { decodeUtf8 } from '../text.ts';
import { CONTROL_ENTITIES, nameControlReferences } from './control-references.ts';
import { XmlElement } from './xml-element.ts';
import { XmlError } from './xml-error.ts';

export type XmlLimits = {
  readonly sizeBytesMax?: number;
  readonly depthMax?: number;
  readonly elementsMax?: number;
};

const SIZE_BYTES_MAX = 4 * 1024 * 1024;
/** The deepest document of S3 has six levels. */
const DEPTH_MAX = 16;
/** Ten thousand parts, each with a number, an ETag and every checksum, are 80,001 elements. */
const ELEMENTS_MAX = 100_000;
/** Of one element. Clients send two: a namespace and a type. */
const ATTRIBUTES_MAX = 64;
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

/** An element whose end has not come yet. */
type OpenElement = {
  readonly name: string;
  readonly elements: XmlElement[];
  readonly attributes: ReadonlyMap<string, string>;
  text: string;
};

/**
 * The root element of a document in UTF-8, with or without a byte order mark. References to
 * control characters are read though XML 1.0 has none: keys may hold them, and listings write them
 * so. Throws `XmlError`, and nothing else, whatever the bytes are.
 */
export function readXml(bytes: Uint8Array, limits: XmlLimits = {}): XmlElement {
  const { pieces, parser, tree } = beginReading(bytes, limits);
  for (const piece of pieces) parser.write(piece);
  parser.close();
  return tree.root();
}

/** The same, with turns for others in between: a hostile document of 8 MiB takes seconds. */
export async function readXmlInTurns(
  bytes: Uint8Array,
  limits: XmlLimits = {},
): Promise<XmlElement> {
  const { pieces, parser, tree } = beginReading(bytes, limits);
  let length = 0;
  for (const piece of pieces) {
    if (length >= TURN_LENGTH / 2) {
      await scheduler.yield();
      length = 0;
    }
    parser.write(piece);
    length += piece.length;
  }
  parser.close();
  return tree.root();
}

/** Nearly every document is read in one turn; the worst takes some milliseconds. */
const TURN_LENGTH = 16 * 1024;

function beginReading(bytes: Uint8Array, limits: XmlLimits) {
  const { sizeBytesMax = SIZE_BYTES_MAX } = limits;
  if (bytes.length > sizeBytesMax) {
    throw new XmlError('too_large', `The document is larger than ${sizeBytesMax} bytes.`);
  }
  const text = decodeUtf8(bytes);
  if (text === undefined) throw new XmlError('malformed', 'The document is not UTF-8.');
  const tree = new TreeBuilder(limits);
  // Namespaces are not resolved, so that a prefix need not be declared.
  const parser = new SaxesParser({ xmlns: false, position: false });
  Object.assign(parser.ENTITIES, CONTROL_ENTITIES);
  parser.on('error', (error) => {
    throw new XmlError('malformed', `The document is not well-formed: ${error.message}`);
  });
  parser.on('xmldecl', assertReadable);
  parser.on('doctype', () => refuse('a document type'));
  parser.on('processinginstruction', () => refuse('a processing instruction'));
  parser.on('attribute', ({ name, value }) => tree.addAttribute(name, value));
  parser.on('opentag', ({ name }) => tree.open(name));
  parser.on('text', (piece) => tree.addText(piece));
  parser.on('cdata', (piece) => tree.addText(piece));
  parser.on('closetag', () => tree.close());
  return { pieces: nameControlReferences(text, TURN_LENGTH), parser, tree };
}

/** XML 1.1 has other line ends and other control characters; what it says would change. */
function assertReadable(declared: { readonly version?: string; readonly encoding?: string }): void {
  const { version = '1.0', encoding = 'utf-8' } = declared;
  if (version !== '1.0') refuse(`version ${version} of XML`);
  if (!/^(utf-?8|us-ascii)$/i.test(encoding)) refuse(`the encoding ${encoding}`);
}

function refuse(what: string): never {
  throw new XmlError('refused', `The document has ${what}, which is not read.`);
}

class TreeBuilder {
  readonly #depthMax: number;
  readonly #elementsMax: number;
  readonly #openElements: OpenElement[] = [];
  /** Of the element that is about to open. */
  #attributes: Map<string, string> | undefined;
  #attributeCount = 0;
  #elementCount = 0;
  #root: XmlElement | undefined;

  constructor({ depthMax = DEPTH_MAX, elementsMax = ELEMENTS_MAX }: XmlLimits) {
    this.#depthMax = depthMax;
    this.#elementsMax = elementsMax;
  }

  /** Attributes come before the element that bears them. */
  addAttribute(name: string, value: string): void {
    this.#attributeCount += 1;
    if (this.#attributeCount > ATTRIBUTES_MAX) {
      throw new XmlError('too_large', `An element has more than ${ATTRIBUTES_MAX} attributes.`);
    }
    if (name.startsWith('xmlns:')) return;
    this.#attributes ??= new Map();
    this.#attributes.set(localNameOf(name), value);
  }

  open(name: string): void {
    this.#elementCount += 1;
    if (this.#elementCount > this.#elementsMax) {
      throw new XmlError('too_large', `The document has more than ${this.#elementsMax} elements.`);
    }
    if (this.#openElements.length >= this.#depthMax) {
      throw new XmlError('too_large', `Elements are nested more than ${this.#depthMax} deep.`);
    }
    const attributes = this.#attributes ?? NO_ATTRIBUTES;
    this.#attributes = undefined;
    this.#attributeCount = 0;
    this.#openElements.push({ name: localNameOf(name), elements: [], attributes, text: '' });
  }

  addText(piece: string): void {
    const element = this.#openElements.at(-1);
    // Blanks around the root belong to no element.
    if (element !== undefined) element.text += piece;
  }

  close(): void {
    const closed = this.#openElements.pop();
    if (closed === undefined) return;
    const element = new XmlElement(closed);
    const parent = this.#openElements.at(-1);
    if (parent === undefined) this.#root = element;
    else parent.elements.push(element);
  }

  root(): XmlElement {
    if (this.#root === undefined) throw new XmlError('malformed', 'The document has no element.');
    return this.#root;
  }
}

function localNameOf(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
