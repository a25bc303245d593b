/** `pinfold openapi`: the committed document, which `npm run openapi` makes from the routes. */
import { readFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { type AnswerOptions, answer } from '../answer.ts';
import type { CliWorld } from '../cli-world.ts';

const FILES = { '3.0': 'openapi/openapi-3.0.json', '3.1': 'openapi/openapi.json' } as const;

export async function printOpenApi(
  world: CliWorld,
  input: { readonly spec: keyof typeof FILES },
  options: AnswerOptions,
): Promise<void> {
  const file = new URL(`../../../${FILES[input.spec]}`, import.meta.url);
  const document: object = JSON.parse(await readFile(file, 'utf8'));
  // Aliases are right YAML, and more than some readers of OpenAPI take.
  const text = stringify(document, { aliasDuplicateObjects: false }).trimEnd();
  answer(world.terminal, { document, text }, options);
}
