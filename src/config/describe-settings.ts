/** The settings as their owner may see them: each value with its origin, secrets left out. */
import { resolve } from 'node:path';
import { hasStrayMark, PATH } from './forms.ts';
import { SETTINGS, type Setting } from './settings.ts';
import type { SetTexts, SettingOrigin } from './sources.ts';

/** Stands for what is not shown. */
const REDACTED = '***';

export type DescribedSetting = {
  readonly name: string;
  /** `undefined` when it is not set and its default is not a value (`words` say what holds). */
  readonly value: string | undefined;
  readonly words: string;
  readonly origin: SettingOrigin;
  /** The variable, or the key and its file; `undefined` for a default. */
  readonly label: string | undefined;
};

export function describeSettings(
  texts: SetTexts,
  options: { readonly workingDirectory: string },
): readonly DescribedSetting[] {
  return Object.values(SETTINGS).map((setting) => describe(setting, texts, options));
}

/** What may be shown of a setting's text. */
export function redact(setting: Pick<Setting<unknown>, 'secrecy'>, text: string): string {
  switch (setting.secrecy) {
    case 'plain':
      return text;
    case 'url':
      return redactUrl(text);
    case 'secret':
      return REDACTED;
  }
}

function describe(
  setting: Setting<unknown>,
  texts: SetTexts,
  options: { readonly workingDirectory: string },
): DescribedSetting {
  const set = texts.get(setting.name);
  const { fallback } = setting;
  const text = set?.text ?? (fallback.kind === 'text' ? fallback.text : undefined);
  const base = set?.baseDirectory ?? options.workingDirectory;
  const whole = text !== undefined && setting.form === PATH ? resolve(base, text) : text;
  const value = whole === undefined ? undefined : redact(setting, whole);
  return {
    name: setting.name,
    value,
    words: value ?? (fallback.kind === 'absent' ? fallback.words : ''),
    origin: set?.origin ?? 'default',
    label: set?.label,
  };
}

/** Query parameters of database URLs whose values are no secrets; others show their name only. */
const OPEN_PARAMETERS = ['sslmode', 'application_name', 'connect_timeout'];

function redactUrl(text: string): string {
  const url = URL.parse(text);
  if (url === null || hasStrayMark(url, text)) return REDACTED;
  if (url.password !== '') url.password = REDACTED;
  const query = [...url.searchParams].map(([name, value]) =>
    OPEN_PARAMETERS.includes(name) ? `${name}=${encodeURIComponent(value)}` : `${name}=${REDACTED}`,
  );
  url.search = query.join('&');
  return url.href;
}
