/** Writes the pages that are made from the source: `npm run docs [-- --only NAME]`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { compatibilityPage } from './compatibility-page.ts';
import { configurationPage } from './configuration-page.ts';
import { currentDocument, olderDocument } from './openapi-documents.ts';

type Page = {
  readonly name: string;
  /** From the project's root. */
  readonly file: string;
  readonly text: () => string | Promise<string>;
};

const json = (document: object) => `${JSON.stringify(document, undefined, 2)}\n`;

const PAGES: readonly Page[] = [
  { name: 'configuration', file: 'docs/configuration.md', text: configurationPage },
  { name: 'compatibility', file: 'docs/compatibility/s3.md', text: compatibilityPage },
  {
    name: 'openapi',
    file: 'openapi/openapi.json',
    text: async () => json(await currentDocument()),
  },
  {
    name: 'openapi',
    file: 'openapi/openapi-3.0.json',
    text: async () => json(olderDocument(await currentDocument())),
  },
];

const root = join(import.meta.dirname, '..');
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const pages = PAGES.filter((page) => values.only === undefined || page.name === values.only);
if (pages.length === 0) {
  throw new Error(
    `There is no page ${values.only}; pages: ${PAGES.map((page) => page.name).join(', ')}`,
  );
}
for (const page of pages) {
  const file = join(root, page.file);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, await page.text());
  process.stderr.write(`wrote ${page.file}\n`);
}
