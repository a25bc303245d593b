/** Where settings come from: the environment, then `pinfold.toml`, then the default. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse as parseToml, TomlError } from 'smol-toml';
import type { Environment } from './env.ts';
import { nearestName } from './nearest-name.ts';
import { ConfigError, type Refusal } from './refusal.ts';
import { SETTINGS, type Setting } from './settings.ts';

/** Names the file of settings; itself read from the environment only. */
export const CONFIG_FILE_VARIABLE = 'PINFOLD_CONFIG_FILE';
export const CONFIG_FILE_NAME = 'pinfold.toml';

export type SettingOrigin = 'env' | 'file' | 'default';

/** A text that somebody set. */
export type SetText = {
  readonly text: string;
  readonly origin: 'env' | 'file';
  /** What its owner has to look for: a variable's name, or a key and its file. */
  readonly label: string;
  /** Relative paths begin here. */
  readonly baseDirectory: string;
};

/** The set texts by the name of their setting; what is missing has its default. */
export type SetTexts = ReadonlyMap<string, SetText>;

const NAMES: readonly string[] = Object.keys(SETTINGS);

/** Gathers what is set, by precedence; throws `ConfigError` with every name that is no setting. */
export function gatherSettings(options: {
  readonly environment: Environment;
  readonly workingDirectory: string;
}): SetTexts {
  const refusals: Refusal[] = [];
  const texts = new Map<string, SetText>();
  gatherFromFile(options, { texts, refusals });
  gatherFromEnvironment(options, { texts, refusals });
  if (refusals.length > 0) throw new ConfigError(refusals);
  return texts;
}

/** How the owner of a setting finds it: as it was set, or as it may be set. */
export function labelOf(setting: Setting<unknown>, texts: SetTexts): string {
  return texts.get(setting.name)?.label ?? `PINFOLD_${setting.name}`;
}

type Gathered = { readonly texts: Map<string, SetText>; readonly refusals: Refusal[] };

function gatherFromEnvironment(
  options: { readonly environment: Environment; readonly workingDirectory: string },
  { texts, refusals }: Gathered,
): void {
  for (const [variable, text] of Object.entries(options.environment.settings)) {
    const name = variable.slice('PINFOLD_'.length);
    if (variable === CONFIG_FILE_VARIABLE || isServiceLink(variable, text)) continue;
    if (!NAMES.includes(name)) {
      const remedy = remedyForName(name, (nearest) => `PINFOLD_${nearest}`);
      refusals.push({ setting: variable, problem: 'is not a setting', remedy });
    } else if (text.trim() !== '') {
      // NOTE: compose files hand on unset variables as empty text, so empty is as good as unset.
      const baseDirectory = options.workingDirectory;
      texts.set(name, { text: text.trim(), origin: 'env', label: variable, baseDirectory });
    }
  }
}

function gatherFromFile(
  options: { readonly environment: Environment; readonly workingDirectory: string },
  { texts, refusals }: Gathered,
): void {
  const named = options.environment.settings[CONFIG_FILE_VARIABLE]?.trim() ?? '';
  const file =
    named === ''
      ? join(options.workingDirectory, CONFIG_FILE_NAME)
      : resolve(options.workingDirectory, named);
  const table = readToml(file, { isRequired: named !== '' });
  for (const [key, value] of Object.entries(table)) {
    const label = `${key} in ${file}`;
    const name = key.toUpperCase();
    const text = textOfToml(value);
    if (key !== key.toLowerCase() || !NAMES.includes(name)) {
      const remedy = remedyForName(name.replace(/^PINFOLD_/, ''), (near) => near.toLowerCase());
      refusals.push({ setting: label, problem: 'is not a setting', remedy });
    } else if (text === undefined) {
      const remedy = 'Write a text, a number, or a list of texts; there are no tables.';
      refusals.push({ setting: label, problem: 'has a value of the wrong kind', remedy });
    } else if (text.trim() !== '') {
      texts.set(name, { text: text.trim(), origin: 'file', label, baseDirectory: dirname(file) });
    }
  }
}

function readToml(
  file: string,
  options: { readonly isRequired: boolean },
): Readonly<Record<string, unknown>> {
  const setting = options.isRequired ? CONFIG_FILE_VARIABLE : file;
  try {
    return parseToml(readFileSync(file, 'utf8'), { integersAsBigInt: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' && !options.isRequired) return {};
    if (error instanceof TomlError) {
      // NOTE: the parser's own message quotes the line, which may hold a password.
      const problem = `is not TOML at line ${error.line}, column ${error.column}`;
      throw new ConfigError([
        { setting: file, problem, remedy: 'Write name = "value" on a line of its own.' },
      ]);
    }
    if (typeof code !== 'string') throw error;
    const problem = options.isRequired ? `names ${file}, which cannot be read (${code})` : code;
    const remedy = 'Name a file that this user can read.';
    throw new ConfigError([{ setting, problem, remedy }]);
  }
}

function textOfToml(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (!Array.isArray(value)) return undefined;
  const words = value.map(textOfToml);
  return words.every((word) => word !== undefined) ? words.join(',') : undefined;
}

function remedyForName(name: string, spell: (name: string) => string): string {
  const nearest = nearestName(name, NAMES);
  return nearest === undefined
    ? 'Remove it; docs/configuration.md lists the settings.'
    : `Did you mean ${spell(nearest)}?`;
}

/** Variables that Kubernetes puts into every pod for a Service whose name begins with pinfold. */
function isServiceLink(variable: string, text: string): boolean {
  return (
    /_SERVICE_(?:HOST|PORT(?:_\w+)?)$/.test(variable) ||
    /_PORT_\d+_(?:TCP|UDP|SCTP)(?:_\w+)?$/.test(variable) ||
    (variable === 'PINFOLD_PORT' && /^(?:tcp|udp|sctp):\/\//.test(text))
  );
}
