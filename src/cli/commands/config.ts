/** `pinfold config`: every setting with its value and where that comes from. */
import { configOf } from '../../config/config.ts';
import { describeSettings } from '../../config/describe-settings.ts';
import { gatherSettings } from '../../config/sources.ts';
import { type AnswerOptions, answer, columnsText } from '../answer.ts';
import type { CliWorld } from '../cli-world.ts';

export async function showConfig(world: CliWorld, options: AnswerOptions): Promise<void> {
  const texts = gatherSettings(world);
  configOf(texts, world);
  const settings = describeSettings(texts, world);
  const document = {
    settings: settings.map(({ name, value = null, origin, label = null }) => ({
      name,
      variable: `PINFOLD_${name}`,
      value,
      origin,
      source: label,
    })),
  };
  const rows = settings.map(({ name, words, origin, label }) => [
    `PINFOLD_${name}`,
    words,
    origin === 'file' ? `file (${label ?? ''})` : origin,
  ]);
  const text = columnsText([['SETTING', 'VALUE', 'ORIGIN'], ...rows]);
  answer(world.terminal, { document, text }, options);
}
