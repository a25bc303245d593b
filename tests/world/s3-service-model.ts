/** S3's public service model, as the pinned botocore of the client tests has it. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { pythonFolder } from './python.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const MODEL = 'lib/python3*/site-packages/botocore/data/s3/2006-03-01/service-2.json.gz';

type Member = {
  readonly shape: string;
  readonly location?: 'header' | 'headers' | 'querystring' | 'uri';
  readonly locationName?: string;
};

type Shape = {
  readonly type: string;
  readonly members?: Readonly<Record<string, Member>>;
  readonly member?: Member;
  readonly flattened?: boolean;
  readonly payload?: string;
};

type Model = {
  readonly operations: Readonly<Record<string, { readonly input?: { readonly shape: string } }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
};

/** What an operation may be sent; headers in lower case, elements as paths below the root. */
export type Inputs = {
  readonly headers: readonly string[];
  readonly query: readonly string[];
  readonly elements: readonly string[];
};

/** By the names of operations; `undefined` when the runner could not install botocore. */
export function findS3Inputs(): ReadonlyMap<string, Inputs> | undefined {
  const [file] = globSync(join(pythonFolder(ROOT), MODEL));
  if (file === undefined) return undefined;
  const model = JSON.parse(gunzipSync(readFileSync(file)).toString('utf8')) as Model;
  return new Map(
    Object.entries(model.operations).map(([name, { input }]) => [
      name,
      inputsOf(model, input === undefined ? {} : (model.shapes[input.shape] ?? {})),
    ]),
  );
}

function inputsOf(model: Model, { members = {} }: Partial<Shape>): Inputs {
  const all = Object.entries(members);
  const named = (...locations: readonly (string | undefined)[]) =>
    all
      .filter(([, { location }]) => locations.includes(location))
      .map(([name, { locationName = name }]) => locationName);
  return {
    headers: named('header', 'headers').map((name) => name.toLowerCase()),
    query: named('querystring'),
    elements: all
      .filter(([, { location }]) => location === undefined)
      .flatMap(([, { shape }]) => pathsBelow(model, shape, '')),
  };
}

function pathsBelow(model: Model, name: string, path: string): readonly string[] {
  const shape = model.shapes[name];
  if (shape?.type === 'list' && shape.member !== undefined) {
    const { member } = shape;
    if (shape.flattened === true) return pathsBelow(model, member.shape, path);
    const own = `${path}/${member.locationName ?? 'member'}`;
    return [own, ...pathsBelow(model, member.shape, own)];
  }
  if (shape?.type !== 'structure') return [];
  return Object.entries(shape.members ?? {}).flatMap(([memberName, member]) => {
    const at = member.locationName ?? memberName;
    // Attributes are no elements.
    if (at.includes(':')) return [];
    const own = path === '' ? at : `${path}/${at}`;
    return [own, ...pathsBelow(model, member.shape, own)];
  });
}
