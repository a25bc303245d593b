/** An element that was read. Names are local: prefixes and namespaces are not looked at. */
export class XmlElement {
  readonly name: string;
  /** The text directly in the element, CDATA included, as it was written: nothing is trimmed. */
  readonly text: string;
  /** The elements directly in it, in their order. */
  readonly elements: readonly XmlElement[];
  readonly #attributes: ReadonlyMap<string, string>;

  constructor(parts: {
    readonly name: string;
    readonly text: string;
    readonly elements: readonly XmlElement[];
    readonly attributes: ReadonlyMap<string, string>;
  }) {
    this.name = parts.name;
    this.text = parts.text;
    this.elements = parts.elements;
    this.#attributes = parts.attributes;
  }

  children(name: string): readonly XmlElement[] {
    return this.elements.filter((element) => element.name === name);
  }

  /** The first of that name. */
  child(name: string): XmlElement | undefined {
    return this.elements.find((element) => element.name === name);
  }

  /** The text of the first of that name; empty when the element is there and empty. */
  childText(name: string): string | undefined {
    return this.child(name)?.text;
  }

  /** `type` answers `xsi:type`. */
  attribute(name: string): string | undefined {
    return this.#attributes.get(name);
  }
}
