/** Refuses a document that says more than its operation does, before anything is changed. */
import type { XmlElement } from '../../../kit/xml/xml-element.ts';
import type { OperationName } from '../operations/operation-table.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import type { ParameterRules } from './parameter-rules.ts';
import { PARAMETERS } from './parameter-table.ts';

/** The elements that may stand in one. */
type Known = Map<string, Known>;

/** Throws `NotImplemented` with the element's name. The name of the root is the operation's. */
export function requireKnownElements(operation: OperationName, root: XmlElement): void {
  const known = KNOWN.get(operation);
  if (known !== undefined) requireKnown(operation, root, known);
}

function requireKnown(operation: OperationName, parent: XmlElement, known: Known): void {
  for (const element of parent.elements) {
    const below = known.get(element.name);
    if (below === undefined) {
      throw new S3Refusal(
        'NotImplemented',
        `${operation} does not take the element ${element.name} here.`,
        { Element: element.name },
      );
    }
    if (element.elements.length > 0) requireKnown(operation, element, below);
  }
}

const KNOWN: ReadonlyMap<string, Known> = new Map(
  Object.entries(PARAMETERS).map(([operation, { elements }]) => [operation, treeOf(elements)]),
);

/** A document that no operation has is not read, so that an empty table refuses nothing. */
function treeOf({ honoured, harmless }: ParameterRules): Known {
  const root: Known = new Map();
  for (const path of [...honoured, ...harmless]) {
    let at = root;
    for (const name of path.split('/')) {
      const below: Known = at.get(name) ?? new Map();
      at.set(name, below);
      at = below;
    }
  }
  return root;
}
