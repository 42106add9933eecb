/** Reads the YAML file into settings with the line each stands on. Knows sections, not what a key may hold. */
import { MmaplockError } from '../errors.js';
import { sections, settings } from './settings.js';
import { version } from './version.js';
import { openYamlFile, type YamlEntry } from './yaml-file.js';

/** A value with the source it comes from, as messages name it. */
export interface SourcedValue {
  /** The path of a setting; not necessarily one that exists. */
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
}

const dottedKey = (path: string, origin: string): MmaplockError => {
  const [section, name] = path.split('.');
  return new MmaplockError(
    'unknown_config_key',
    `mmaplockd ${version} knows no key with a dot, "${path}" (${origin}); write ${name} below ${section}:`,
    { field: path },
  );
};

/**
 * Every setting of a YAML file, in its order; a key that is no section is returned whether it exists or not.
 * A section or file with nothing in it is empty.
 *
 * Errors: `unreadable_config` (no such file, not UTF-8, not YAML, a key twice), `invalid_config` (a section
 * that is not a mapping), `unknown_config_key` (a key written with a dot instead of in its section).
 */
export const readConfigFile = (file: string): SourcedValue[] => {
  const yaml = openYamlFile(file, 'config.file');

  const readEntry = ({ name, node, origin }: YamlEntry, section: string): SourcedValue[] => {
    const path = section === '' ? name : `${section}.${name}`;
    if (name.includes('.') && settings.has(path)) throw dottedKey(path, origin);
    if (section === '' && sections.has(name)) return readSection(node, name, origin);
    return [{ path, value: yaml.plain(node, origin), origin }];
  };

  const readSection = (node: unknown, section: string, origin: string): SourcedValue[] => {
    const where =
      section === ''
        ? { what: 'the file', field: 'config.file', origin }
        : { what: section, field: section, origin };
    return yaml.entriesOf(node, where).flatMap((entry) => readEntry(entry, section));
  };

  return readSection(yaml.contents, '', yaml.origin);
};
