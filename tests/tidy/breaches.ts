/** For every rule small trees that break it exactly once, and the same put right. */
import { GLOSSARY_TERMS } from './registers.ts';
import type { Registers, RuleName } from './rules.ts';

type Texts = Readonly<Record<string, string>>;

type Breach = { readonly broken: Texts; readonly kept: Texts; readonly registers?: Registers };

const PORT = 'src/core/ports/metadata/a.ts';
const TABLE = 'src/server/schema/rest-errors.ts';
const settings = (...names: string[]): Registers => ({ settings: names, errorCodes: [] });
const errorCodes = (...codes: string[]): Registers => ({ settings: [], errorCodes: codes });

/** One file in the place of another, both with the same text. */
function moved(text: string, from: string, to: string): Breach {
  return { broken: { [from]: text }, kept: { [to]: text } };
}

/** The same file with two texts. */
function rewritten(path: string, broken: string, kept: string): Breach {
  return { broken: { [path]: broken }, kept: { [path]: kept } };
}

const WIDE = 'x'.repeat(101);

export const BREACHES: Readonly<Record<RuleName, readonly Breach[]>> = {
  'imports follow the arrows': [
    moved("import { x } from '../engines/x.ts';", 'src/core/a.ts', 'src/engines/a.ts'),
    moved("import { x } from '../../engines/x.ts';", 'src/dialects/s3/a.ts', 'src/engines/b/a.ts'),
    moved("import { x } from '../psa/x.ts';", 'src/dialects/s3/a.ts', 'src/dialects/psa/a.ts'),
    moved("import { x } from '../config/x.ts';", 'src/server/a.ts', 'src/cli/a.ts'),
    moved("import { x } from '../core/ids.ts';", 'src/kit/a.ts', 'src/jobs/a.ts'),
    moved("import { x } from '../dialects/admin/x.ts';", 'src/jobs/a.ts', 'src/cli/a.ts'),
    rewritten(
      'src/main.ts',
      "import { x } from './dialects/s3/x.ts';",
      "import { x } from './compose/x.ts';",
    ),
    moved("import { x } from '../jobs/x.ts';", 'src/engines/a.ts', 'src/jobs/a.ts'),
    moved("import { x } from './compose/compose-server.ts';", 'src/server.ts', 'src/main.ts'),
    rewritten(
      'src/server/a.ts',
      "import { type Server, request } from 'node:http';",
      "import type { Server } from 'node:http';",
    ),
    moved("import fastify from 'fastify';", 'src/core/a.ts', 'src/server/a.ts'),
    moved("import { sql } from 'kysely';", 'src/core/a.ts', 'src/engines/a.ts'),
    moved("import { sql } from 'kysely';", 'src/server/a.ts', 'src/engines/a.ts'),
    moved("import { open } from 'node:fs/promises';", 'src/core/a.ts', 'src/engines/a.ts'),
    moved("import type { Server } from 'node:http';", 'src/core/a.ts', 'src/server/a.ts'),
    moved("import { env } from 'node:process';", 'src/core/a.ts', 'src/main.ts'),
    moved("const x = await import('../engines/x.ts');", 'src/core/a.ts', 'src/engines/a.ts'),
    moved("export { x } from '../engines/x.ts';", 'src/core/a.ts', 'src/engines/a.ts'),
    rewritten(
      'src/engines/a.ts',
      "import { putObject } from '../core/objects/put-object.ts';",
      "import type { PutDeps } from '../core/objects/put-object.ts';",
    ),
    rewritten(
      'src/engines/a.ts',
      "import { isSameVersion } from '../core/objects/same-version.ts';",
      "import { judgeCommit } from '../core/objects/commit/judge-commit.ts';",
    ),
    rewritten(
      'src/core/a.ts',
      "import { x } from '../engines/x.ts';",
      "const words = `import { x } from '../engines/x.ts';`;",
    ),
  ],
  'no file imports itself by way of others': [
    {
      broken: {
        'src/kit/a.ts': "import { b } from './b.ts';",
        'src/kit/b.ts': "import type { a } from './a.ts';",
      },
      kept: { 'src/kit/a.ts': "import { b } from './b.ts';", 'src/kit/b.ts': '' },
    },
  ],
  'no file is dead': [
    {
      broken: { 'src/kit/a.ts': '', 'tests/a.test.ts': "import '../src/kit/a.ts';" },
      kept: { 'src/kit/a.ts': '', 'src/main.ts': "import '../src/kit/a.ts';" },
    },
    {
      broken: { 'src/engines/disk-x.ts': '', 'tests/a.ts': "import '../src/engines/disk-x.ts';" },
      kept: { 'src/engines/memory-x.ts': '', 'tests/a.ts': "import '../src/engines/memory-x.ts';" },
    },
    {
      broken: { 'src/kit/x-thread.ts': '', 'src/main.ts': "new URL('./kit/x-thread.ts.old')" },
      kept: { 'src/kit/x-thread.ts': '', 'src/main.ts': "new URL('./kit/x-thread.ts', here)" },
    },
  ],
  'what is exported is imported': [
    {
      broken: {
        'src/kit/a.ts': 'export const one = 1;\nexport async function two() {}\n',
        'src/kit/b.ts': "import { one as first } from './a.ts';",
      },
      kept: {
        'src/kit/a.ts': 'export const one = 1;\nexport async function two() {}\n',
        'src/kit/b.ts': "import {\n  one as first,\n  two\n} from './a.ts';",
      },
    },
  ],
  'files are short': [
    rewritten('src/kit/a.ts', '\n'.repeat(401), '\n'.repeat(400)),
    rewritten('src/kit/a.test.ts', '\n'.repeat(601), '\n'.repeat(600)),
    rewritten('src/core/ports/a-contract.ts', '\n'.repeat(601), '\n'.repeat(600)),
  ],
  'forbidden calls and shapes stay out': [
    moved('const at = Date.now();', 'src/core/a.ts', 'src/engines/clock/a.ts'),
    moved('const at = new Date();', 'src/jobs/a.ts', 'src/jobs/runner.ts'),
    rewritten('src/core/a.ts', 'const at = new Date( );', 'const at = new Date(ms);'),
    rewritten('src/core/a.ts', 'const at = Date.now();', '// Date.now() is not called here.'),
    moved('const x = Math.random();', 'src/kit/a.ts', 'src/engines/a.ts'),
    moved('const x = Math.random();', 'tests/a.ts', 'src/engines/a.ts'),
    moved('const id = crypto.randomUUID;', 'src/core/a.ts', 'src/engines/a.ts'),
    moved("import { randomBytes } from 'node:crypto';", 'src/kit/a.ts', 'src/engines/a.ts'),
    moved('setTimeout(run, 5);', 'src/server/a.ts', 'src/main.ts'),
    rewritten('src/server/a.ts', 'setInterval(run, 5);', 'socket.setKeepAlive(true);'),
    moved("const x = process.env['X'];", 'src/cli/a.ts', 'src/config/env.ts'),
    moved("const x = process.env['X'];", 'tests/wire/a.ts', 'tests/world/a.ts'),
    rewritten('src/cli/a.ts', "console.log('x');", "const words = 'console.log(x)';"),
    rewritten('src/kit/a.ts', 'export default 1;', 'export const one = 1;'),
    rewritten('src/kit/a.ts', "export * from './b.ts';", "import { b } from './b.ts';"),
    rewritten('src/kit/a.ts', "export { b } from './b.ts';", 'export { b };'),
    rewritten('src/kit/a.ts', 'let count = 0;', 'function f() {\n  let count = 0;\n}'),
    rewritten('src/kit/a.ts', 'class A extends B {}', 'class A extends TypeError {}'),
    moved('', 'src/kit/index.ts', 'src/kit/indexes.ts'),
    rewritten('src/core/a.ts', 'const x = /[/"]/.test(y) && Date.now();', 'const x = /Date.now/;'),
    rewritten('src/core/a.ts', `const x = \`\${Date.now()}\`;`, 'const x = `Date.now`;'),
  ],
  'names say something': [
    moved('', 'src/kit/string-utils.ts', 'src/kit/strings.ts'),
    moved('', 'src/core/account-service.ts', 'src/core/account.ts'),
    rewritten('src/kit/a.ts', 'const userInfo = 1;', 'const user = info(1);'),
    rewritten('src/kit/a.ts', 'class BlobManager {}', 'class Blobs {}'),
    rewritten('src/kit/a.ts', 'const data = 1;', 'const dataDirectory = 1, metadata = 2;'),
    rewritten('src/kit/a.ts', 'type CommonThing = 1;', 'type CommonPrefix = 1;'),
    rewritten('src/kit/a.ts', 'function parseHTTPData() {}', 'function parseMetadata() {}'),
    rewritten(
      'src/kit/a.ts',
      'const ctx = 1;',
      '/** Common data: a helper would say "const data". */',
    ),
    rewritten('src/kit/a.ts', 'type A = { readonly misc: 1 };', "on('data', useful);"),
  ],
  'marks are NOTE and TODO with an issue': [
    rewritten('src/kit/a.ts', '// FIXME: later', '// NOTE: later'),
    rewritten('src/kit/a.ts', '/* TODO later */', '/* TODO(12): later */'),
    rewritten('src/kit/a.ts', '// A HACK', "const word = 'TODO';"),
  ],
  'comments keep to the page': [
    rewritten('src/kit/a.ts', `// ${WIDE}`, `const words = '${WIDE}';`),
    rewritten('src/kit/a.ts', `/**\n * ${WIDE}\n */`, '/** Short. */'),
  ],
  'tests say first what they prove': [
    rewritten('src/kit/a.test.ts', "import 'x';", "/** Proves it. */\nimport 'x';"),
  ],
  'what is cited is there': [
    {
      broken: { 'src/kit/a.ts': '// See docs/formats/x.md.' },
      kept: { 'src/kit/a.ts': '// See docs/formats/x.md.', 'docs/formats/x.md': '' },
    },
    {
      broken: { 'src/kit/a.ts': '// As of decision 0007.', 'docs/decisions/0001-y.md': '' },
      kept: { 'src/kit/a.ts': '// As of decision 0007.', 'docs/decisions/0007-y.md': '' },
    },
  ],
  'casts only become fewer': [
    rewritten('src/core/a.ts', 'const x = y as Z;', 'const x = [1] as const;'),
    rewritten('src/core/a.ts', 'const x = (y) as { z: 1 };', "import { y as z } from './b.ts';"),
    moved('const x = y as Z;', 'src/core/a.ts', 'src/core/ids.ts'),
  ],
  'every setting is documented': [
    {
      broken: { 'docs/configuration.md': '`PINFOLD_DATA_DIR_OLD`' },
      kept: { 'docs/configuration.md': '`PINFOLD_DATA_DIR`' },
      registers: settings('DATA_DIR'),
    },
  ],
  'every error code is in every table': [
    {
      broken: { [TABLE]: 'const A: Record<ErrorCode, B> = { other_code: 1 };' },
      kept: { [TABLE]: 'const A: Record<ErrorCode, B> = { some_code: 1 };' },
      registers: errorCodes('some_code'),
    },
    {
      broken: { 'src/server/a.ts': 'const A: Partial<Record<ErrorCode, B>> = {};' },
      kept: { [TABLE]: 'const A: Record<ErrorCode, B> = {};' },
    },
    {
      broken: { [TABLE]: 'let a: Record<ErrorCode, B> = { one: 1 };', 'docs/errors.md': 'two' },
      kept: { [TABLE]: 'let a: Record<ErrorCode, B> = { one: 1 };', 'docs/errors.md': '`one`' },
      registers: errorCodes('one'),
    },
  ],
  'every error code is used': [
    {
      broken: { 'src/core/errors.ts': "['some_code']", [TABLE]: 'Record<ErrorCode, B> some_code' },
      kept: { 'src/core/a.ts': "throw new ServiceError('some_code', 'Words.');" },
      registers: errorCodes('some_code'),
    },
  ],
  'every transaction has a name and stands in the list': [
    {
      broken: { 'src/core/a.ts': "export const A = defineTransaction('a', run);" },
      kept: {
        'src/core/a.ts': "export const A = defineTransaction('a', run);",
        'src/core/transactions.ts': "import { A } from './a.ts';",
      },
    },
    {
      broken: {
        'src/core/a.ts': "export const A = defineTransaction('a', run);",
        'src/core/b.ts': "export const B = defineTransaction('a', run);",
        'src/core/transactions.ts': "import { A } from './a.ts';\nimport { B } from './b.ts';",
      },
      kept: {
        'src/core/a.ts': "export const A = defineTransaction('a', run);",
        'src/core/b.ts': "export const B = defineTransaction(\n  'b',\n  run);",
        'src/core/transactions.ts': "import { A } from './a.ts';\nimport { B } from './b.ts';",
      },
    },
    rewritten('src/core/a.ts', "const one = () => defineTransaction('a', run);", ''),
    rewritten('src/jobs/a.ts', "export const A = defineTransaction('a', run);", ''),
    {
      broken: {
        'src/core/a.ts': 'export const A = defineTransaction(NAME, run);',
        'src/core/transactions.ts': "import { A } from './a.ts';",
      },
      kept: {
        'src/core/a.ts': "export const A = defineTransaction('a_1', run);",
        'src/core/transactions.ts': "import { A } from './a.ts';",
      },
    },
  ],
  'no function crosses the port of the metadata': [
    rewritten(
      PORT,
      'export type A = { readonly check: (x: B) => void };',
      'export interface A { check(x: B): Promise<void> }',
    ),
    rewritten(
      PORT,
      'export type A = {\n  check(x: B): void;\n};',
      'export interface A {\n  check(x: B): void;\n}',
    ),
    rewritten(
      PORT,
      'export interface A {\n  write(body: ByteSource): void;\n}',
      'export interface A {\n  write(body: Uint8Array): void;\n}',
    ),
    moved('export type A = (x: B) => void;', PORT, 'src/core/ports/byte-sink.ts'),
  ],
  'the glossary has the terms': [
    {
      broken: { 'docs/glossary.md': glossaryWithout('wallet') },
      kept: { 'docs/glossary.md': glossaryWithout(undefined) },
    },
    { broken: { 'docs/glossary.md': glossaryWithout('nonce') }, kept: {} },
  ],
};

function glossaryWithout(term: string | undefined): string {
  return GLOSSARY_TERMS.filter((one) => one !== term).join(', ');
}
