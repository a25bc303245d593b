/** docs/configuration.md: the list of settings as a page. */
import { SETTING_GROUPS, SETTINGS, type Setting } from '../src/config/settings.ts';
import { CONFIG_FILE_NAME, CONFIG_FILE_VARIABLE } from '../src/config/sources.ts';

const INTRODUCTION = `# Configuration

<!-- Made by \`npm run docs\` from src/config/settings.ts; change it there. -->

Everything has a default: \`npm start\` needs no configuration. A setting is looked for in three
places, and the first one that has it wins:

1. the environment, as \`PINFOLD_\` and the name: \`PINFOLD_API_PORT=8088\`;
2. the file \`${CONFIG_FILE_NAME}\` in the working directory, or the one that \`${CONFIG_FILE_VARIABLE}\` names (only the
   environment can name it): \`api_port = 8088\`, the name in lower case, without tables;
3. the default.

\`pinfold config\` prints each value with where it comes from, \`pinfold config --json\` the same for
programs; passwords are left out. Settings are read once, at the start. A name that is not a setting,
a value that cannot be meant, and settings that contradict each other stop the start with the setting
and the remedy; all of them are told at once.

An empty variable counts as not set. Relative paths begin in the working directory, or, in the file,
in the directory of the file. Lists take commas, and TOML's own lists: \`trusted_proxies = ["10.0.0.0/8"]\`.
Sizes are plain bytes or take a unit: \`kB\`, \`MB\`, \`GB\`, \`TB\` (powers of 1000), \`KiB\`, \`MiB\`, \`GiB\`,
\`TiB\` (powers of 1024).
`;

export function configurationPage(): string {
  const all: readonly Setting<unknown>[] = Object.values(SETTINGS);
  const groups = SETTING_GROUPS.map((group) => {
    const rows = all.filter((setting) => setting.group === group).map(settingText);
    return [`## ${group}`, '', ...rows].join('\n');
  });
  return [INTRODUCTION, ...groups].join('\n');
}

function settingText(setting: Setting<unknown>): string {
  const { fallback } = setting;
  const standard =
    fallback.kind === 'absent'
      ? fallback.words
      : fallback.text === ''
        ? 'empty'
        : `\`${fallback.text}\``;
  return [
    `### \`PINFOLD_${setting.name}\``,
    '',
    setting.doc,
    '',
    `- Takes: ${setting.form.words}`,
    `- Default: ${standard}`,
    ...(setting.secrecy === 'plain' ? [] : ['- Secret: it is never shown with its password']),
    '',
  ].join('\n');
}
