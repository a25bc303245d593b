/** Who may import whom (docs: ARCHITECTURE, "The house"): dialects → core ← engines. */
import {
  type Finding,
  type Import,
  type SourceFile,
  type SourceTree,
  shippedSources,
} from './source-tree.ts';

type Room = {
  /** Whether a file is in this room, by its path from the root. */
  readonly holds: RegExp;
  /** Rooms besides its own. */
  readonly mayImport: readonly string[];
  /** Packages and Node's modules. */
  readonly mayUse: RegExp;
};

const ANYTHING = /^/;
const NODE_BUT_IO = /^node:(?!fs|http|https|net|process|sqlite|child_process|timers)/;

const ROOMS: Readonly<Record<string, Room>> = {
  main: {
    holds: /^src\/main\.ts$/,
    mayImport: ['cli', 'compose', 'config', 'kit'],
    mayUse: /^node:/,
  },
  cli: {
    holds: /^src\/cli\//,
    mayImport: ['compose', 'config', 'core', 'kit', 'observe', 'dialects/admin'],
    mayUse: ANYTHING,
  },
  compose: {
    holds: /^src\/compose\//,
    mayImport: ['*'],
    mayUse: ANYTHING,
  },
  config: { holds: /^src\/config\//, mayImport: ['kit'], mayUse: /^(node:|smol-toml$)/ },
  core: {
    holds: /^src\/core\//,
    mayImport: ['kit'],
    mayUse: new RegExp(`${NODE_BUT_IO.source}|^(multiformats|@ipld/|ipfs-unixfs)`),
  },
  dialects: {
    holds: /^src\/dialects\//,
    mayImport: ['server', 'core', 'kit', 'observe'],
    mayUse: /^(?!kysely|pg$|node:sqlite)/,
  },
  server: {
    holds: /^src\/server\//,
    mayImport: ['core', 'kit', 'observe'],
    mayUse: /^(?!kysely|pg$|node:sqlite)/,
  },
  engines: {
    holds: /^src\/engines\//,
    mayImport: ['core', 'kit', 'observe'],
    mayUse: /^(?!fastify|@fastify\/)/,
  },
  jobs: {
    holds: /^src\/jobs\//,
    mayImport: ['core', 'kit', 'observe'],
    mayUse: NODE_BUT_IO,
  },
  observe: { holds: /^src\/observe\//, mayImport: ['kit'], mayUse: /^(pino|prom-client|node:)/ },
  kit: {
    holds: /^src\/kit\//,
    mayImport: [],
    mayUse:
      /^(node:|@napi-rs\/blake-hash$|@node-rs\/crc32$|@scure\/base$|hash-wasm$|ipaddr\.js$|jose\/|saxes$|@zxcvbn-ts\/language-common$)/,
  },
};

/** Imported as a module it loads what a server never uses. */
const NODE_HTTP = /^node:https?$/;

/**
 * What engines take of the core besides types: its ports, its values and the pure functions that
 * judge a commit inside their transactions (decision 0016), never a use case.
 */
const VALUES_OF_CORE =
  /^src\/core\/(ports\/.*|errors|ids|limits|money|objects\/commit\/(judge-commit|footprint)|objects\/multipart\/assemble-upload)\.ts$/;

/** Arrows that stand against the rule, each with its reason. The list may only shrink. */
export const KNOWN_ARROWS: readonly {
  readonly from: string;
  readonly to: string;
  readonly because: string;
}[] = [
  {
    from: 'src/cli/cli-failure.ts',
    to: 'src/engines/data-directory/data-directory-error.ts',
    because: 'the commands put the refusals of the data directory into words',
  },
  {
    from: 'src/cli/open-administration.ts',
    to: 'src/engines/data-directory/data-directory.ts',
    because: 'the socket of a running server is found without loading the composition',
  },
];

export function findWrongArrows(tree: SourceTree): readonly Finding[] {
  return shippedSources(tree).flatMap((file) =>
    file.imports.flatMap((one) => {
      const problem = problemOf(file, one);
      return problem === undefined ? [] : [{ path: file.path, line: one.line, problem }];
    }),
  );
}

function problemOf(file: SourceFile, one: Import): string | undefined {
  const from = roomOf(file.path);
  if (from === undefined) return 'is in no room of the house';
  if (one.target === undefined) {
    if (NODE_HTTP.test(one.specifier) && !one.isTypeOnly) {
      return 'takes node:http as a module; kit/node-http.ts has it for 15 MiB less';
    }
    return from.room.mayUse.test(one.specifier)
      ? undefined
      : `${from.name} may not use ${one.specifier}`;
  }
  if (one.target === 'package.json') return undefined;
  if (isKnown(file.path, one.target)) return undefined;
  const to = roomOf(one.target);
  if (to === undefined) return `imports ${one.target}, which is in no room of the house`;
  if (!isAllowed(from, to, { path: file.path, target: one.target })) {
    return `${from.name} may not import ${one.target}`;
  }
  if (from.name === 'engines' && to.name === 'core' && !one.isTypeOnly) {
    if (!VALUES_OF_CORE.test(one.target)) return `engines take only types of ${one.target}`;
  }
  return undefined;
}

function isKnown(path: string, target: string): boolean {
  return KNOWN_ARROWS.some(({ from, to }) => from === path && to === target);
}

type NamedRoom = { readonly name: string; readonly room: Room };

function roomOf(path: string): NamedRoom | undefined {
  const found = Object.entries(ROOMS).find(([, room]) => room.holds.test(path));
  return found === undefined ? undefined : { name: found[0], room: found[1] };
}

function isAllowed(
  from: NamedRoom,
  to: NamedRoom,
  { path, target }: { readonly path: string; readonly target: string },
): boolean {
  if (from.name === to.name) {
    // Dialects know nothing of each other.
    return from.name !== 'dialects' || dialectOf(path) === dialectOf(target);
  }
  const { mayImport } = from.room;
  return (
    mayImport.includes('*') ||
    mayImport.includes(to.name) ||
    (to.name === 'dialects' && mayImport.includes(`dialects/${dialectOf(target)}`))
  );
}

function dialectOf(path: string): string {
  return path.split('/')[2] ?? '';
}
