/** Reads the YAML file into settings with the line each stands on. Knows sections, not what a key may hold. */
import { readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, LineCounter, type Pair, parseDocument } from 'yaml';
import { MmaplockError, messageOf } from '../errors.js';
import { printable } from '../printable.js';
import { sections, settings } from './settings.js';
import { version } from './version.js';

/** A value with the source it comes from, as messages name it. */
export interface SourcedValue {
  /** The path of a setting; not necessarily one that exists. */
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
}

const readText = (file: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const reason = printable(messageOf(error).split(',')[0]!);
    throw new MmaplockError('unreadable_config', `cannot read ${printable(file)}: ${reason}`, {
      field: 'config.file',
      cause: error,
    });
  }
};

const notYaml = (origin: string, reason: string, cause?: unknown): MmaplockError =>
  new MmaplockError('unreadable_config', `${origin}: not valid YAML: ${printable(reason)}`, {
    field: 'config.file',
    cause,
  });

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
  const lines = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => `${printable(file)}:${lines.linePos(offset ?? 0).line}`;
  const complaint = document.errors[0] ?? document.warnings[0];
  if (complaint !== undefined) throw notYaml(at(complaint.pos[0]), complaint.message);

  const readPair = ({ key, value }: Pair, section: string): SourcedValue[] => {
    const name = isScalar(key) ? String(key.value) : String(key);
    const origin = at(isNode(key) ? key.range?.[0] : undefined);
    const path = section === '' ? name : `${section}.${name}`;
    if (name.includes('.') && settings.has(path)) throw dottedKey(path, origin);
    if (section === '' && sections.has(name)) return readMap(value, name, origin);
    return [{ path, value: plain(value, origin), origin }];
  };

  const readMap = (node: unknown, section: string, origin: string): SourcedValue[] => {
    if (node === null || (isScalar(node) && node.value === null)) return [];
    if (isMap(node)) return node.items.flatMap((pair) => readPair(pair, section));
    const what = section === '' ? 'the file' : section;
    throw new MmaplockError('invalid_config', `${what} (${origin}): expected keys with values below it`, {
      field: section === '' ? 'config.file' : section,
    });
  };

  const plain = (node: unknown, origin: string): unknown => {
    try {
      return isNode(node) ? node.toJS(document) : node;
    } catch (error) {
      // An alias without its anchor, or aliases that multiply beyond the parser's bound.
      throw notYaml(origin, messageOf(error), error);
    }
  };

  return readMap(document.contents, '', at(0));
};
