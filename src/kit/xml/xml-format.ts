/**
 * Writes XML by joining strings. A listing of a thousand keys is the hot path: there is no tree in
 * between. The brand holds that nothing unescaped gets in: only these functions make `Xml`.
 */
import { escapeXml, escapeXmlAttribute } from './escape-xml.ts';

declare const xmlBrand: unique symbol;

/** Markup that is whole and escaped. */
export type Xml = string & { readonly [xmlBrand]: true };

type Attributes = Readonly<Record<string, string>>;

/** `<name>value</name>`, with the value escaped; nothing when there is no value. */
export function xmlText(name: string, value: string | number | bigint | boolean | undefined): Xml {
  if (value === undefined) return '' as Xml;
  const text = typeof value === 'string' ? escapeXml(value) : String(value);
  return `<${name}>${text}</${name}>` as Xml;
}

/** An element of elements; what is `undefined` is left out. Names come from code, never clients. */
export function xmlElement(name: string, ...content: readonly (Xml | undefined)[]): Xml {
  return `<${name}>${joined(content)}</${name}>` as Xml;
}

/** The same with attributes, whose values are escaped. */
export function xmlElementWith(
  name: string,
  attributes: Attributes,
  ...content: readonly (Xml | undefined)[]
): Xml {
  const head = Object.entries(attributes)
    .map(([attribute, value]) => ` ${attribute}="${escapeXmlAttribute(value)}"`)
    .join('');
  return `<${name}${head}>${joined(content)}</${name}>` as Xml;
}

/** A text in an element with attributes. */
export function xmlTextWith(name: string, attributes: Attributes, value: string): Xml {
  return xmlElementWith(name, attributes, escapeXml(value) as Xml);
}

/** Elements one after another, for a list that stands among others. */
export function xmlList(elements: readonly Xml[]): Xml {
  return elements.join('') as Xml;
}

/** A whole document, to be sent as UTF-8. */
export function xmlDocument(root: Xml): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}`;
}

function joined(content: readonly (Xml | undefined)[]): string {
  let text = '';
  for (const piece of content) if (piece !== undefined) text += piece;
  return text;
}
