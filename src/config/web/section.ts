/** Sections of the file of `--web.config.file`: their keys are all known, and their values what is accepted. */
import { MmaplockError } from '../../errors.js';
import { printable, quoted } from '../../text/printable.js';
import { problemWith, type ValueSchema } from '../settings.js';
import { suggest } from '../suggest.js';
import { version } from '../version.js';
import type { YamlEntry, YamlFile } from '../yaml-file.js';

/** The setting that names the file. */
export const webFileField = 'web.config_file';

/** What a section may hold; undefined for a section below it. */
export type Keys = Readonly<Record<string, ValueSchema | undefined>>;

/** A value with where it stands. */
export interface WebValue {
  readonly value: unknown;
  readonly origin: string;
}

/** That a value of the file is not accepted. @param problem never holds a secret */
export const wrong = (field: string, origin: string, problem: string): MmaplockError =>
  new MmaplockError('invalid_config', `${printable(field)} (${origin}): ${problem}`, {
    field: printable(field.slice(0, 120)),
  });

/**
 * The entries of a section by their names, all of them known.
 * @throws MmaplockError `unknown_config_key`, `invalid_config`
 */
export const sectionOf = (
  yaml: YamlFile,
  { name, node, origin }: YamlEntry,
  keys: Keys,
): ReadonlyMap<string, YamlEntry> => {
  const entries = yaml.entriesOf(node, {
    what: name === '' ? 'the file' : name,
    field: name === '' ? webFileField : name,
    origin,
  });
  const prefix = name === '' ? '' : `${name}.`;
  for (const entry of entries) {
    if (Object.hasOwn(keys, entry.name)) continue;
    const nearest = suggest(entry.name, Object.keys(keys));
    const hint =
      nearest === undefined
        ? `known are ${Object.keys(keys).join(', ')}`
        : `the nearest is ${prefix}${nearest}`;
    throw new MmaplockError(
      'unknown_config_key',
      `mmaplockd ${version} knows no key ${quoted(prefix + entry.name)} (${entry.origin}); ${hint}`,
      { field: printable((prefix + entry.name).slice(0, 120)) },
    );
  }
  return new Map(entries.map((entry) => [entry.name, { ...entry, name: prefix + entry.name }]));
};

/**
 * The values of a section that has no sections below it, all of them accepted. What has `secret` in its schema is in no
 * message.
 * @throws MmaplockError `unknown_config_key`, `invalid_config`, `unreadable_config`
 */
export const valuesOf = (yaml: YamlFile, section: YamlEntry, keys: Keys): ReadonlyMap<string, WebValue> => {
  const values = new Map<string, WebValue>();
  for (const [name, entry] of sectionOf(yaml, section, keys)) {
    const schema = keys[name] as ValueSchema & { readonly secret?: boolean };
    const value = yaml.plain(entry.node, entry.origin);
    const problem = problemWith(schema, value);
    if (problem !== undefined)
      throw wrong(entry.name, entry.origin, schema.secret ? `expected ${schema.accepts}` : problem);
    values.set(name, { value, origin: entry.origin });
  }
  return values;
};
