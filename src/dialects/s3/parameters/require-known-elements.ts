/**
 * Refuses a document that says more than its operation does, or one thing twice, before anything is
 * changed: of two keys or two guards one would be dropped.
 */
import type { XmlElement } from '../../../kit/xml/xml-element.ts';
import type { OperationName } from '../operations/operation-table.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import type { ParameterRules } from './parameter-rules.ts';
import { PARAMETERS } from './parameter-table.ts';

/** The elements that may stand in one. */
type Known = Map<string, Known>;

/** Elements that stand in lists; any other stands in its parent once. */
const IN_LISTS: ReadonlySet<string> = new Set([
  ...['Object', 'Part', 'Tag', 'Grant', 'CORSRule'],
  ...['AllowedHeader', 'AllowedMethod', 'AllowedOrigin', 'ExposeHeader'],
]);

/**
 * Throws `NotImplemented` with the element's name, `MalformedXML` for a second one,
 * `InvalidArgument` for a second checksum of a part. The name of the root is the operation's.
 */
export function requireKnownElements(operation: OperationName, root: XmlElement): void {
  const known = KNOWN.get(operation);
  if (known !== undefined) requireKnown(operation, root, known);
}

function requireKnown(operation: OperationName, parent: XmlElement, known: Known): void {
  const seen = new Set<string>();
  for (const element of parent.elements) {
    const below = known.get(element.name);
    if (below === undefined) {
      throw new S3Refusal(
        'NotImplemented',
        `${operation} does not take the element ${element.name} here.`,
        { Element: element.name },
      );
    }
    if (!IN_LISTS.has(element.name)) requireFirst(element, seen);
    if (element.elements.length > 0) requireKnown(operation, element, below);
  }
}

function requireFirst({ name, text }: XmlElement, seen: Set<string>): void {
  if (!seen.has(name)) {
    seen.add(name);
    return;
  }
  if (name.startsWith('Checksum')) {
    throw invalidArgument('A part can have one checksum only.', name, text);
  }
  throw new S3Refusal('MalformedXML', `The document says ${name} more than once in one place.`);
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
