/** A YAML file of settings, read with the line each of them stands on. Knows no setting. */
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { MmaplockError, messageOf } from '../errors.js';
import { printable } from '../text/printable.js';
import { readRegularFile } from './regular-file.js';

/** A key with what stands below it. */
export interface YamlEntry {
  readonly name: string;
  /** A node of the parser, for `entriesOf` or `plain`. */
  readonly node: unknown;
  /** `FILE:LINE` of the key. */
  readonly origin: string;
}

export interface YamlFile {
  readonly contents: unknown;
  /** `FILE:1`. */
  readonly origin: string;
  /**
   * The entries of a mapping, in their order; none where there is nothing.
   * @param what as messages name it
   * @throws MmaplockError `invalid_config` for what is no mapping
   */
  entriesOf(node: unknown, where: { what: string; field: string; origin: string }): YamlEntry[];
  /** The value of a node. @throws MmaplockError `unreadable_config` for an alias that leads nowhere, or too far */
  plain(node: unknown, origin: string): unknown;
}

/** Bytes. */
const longestFile = 65_536;

/** What a message of the parser says of its own: where it does not know what to do with a text it repeats that text. */
const withoutText = (message: string): string => message.replace(/: ".*$| %.*$/s, '');

/** Of a key that is a list, a mapping or an alias; none is a key that is known. */
const textOf = (key: unknown): string => {
  try {
    return String(key);
  } catch {
    return '[...]';
  }
};

const readText = (file: string, field: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readRegularFile(file, longestFile));
  } catch (error) {
    const reason = printable(messageOf(error).split(',')[0]!);
    throw new MmaplockError('unreadable_config', `cannot read ${printable(file)}: ${reason}`, {
      field,
      cause: error,
    });
  }
};

/**
 * Reads the whole file.
 * @param field the setting that names the file
 * @throws MmaplockError `unreadable_config`: no such file, not UTF-8, not YAML, a key twice
 */
export const openYamlFile = (file: string, field: string): YamlFile => {
  const lines = new LineCounter();
  const document = parseDocument(readText(file, field), {
    lineCounter: lines,
    prettyErrors: false,
    // It compares each key with each other one. See entriesOf.
    uniqueKeys: false,
  });
  const at = (offset: number | undefined) => `${printable(file)}:${lines.linePos(offset ?? 0).line}`;
  const notYaml = (origin: string, reason: string, cause?: unknown): MmaplockError =>
    new MmaplockError('unreadable_config', `${origin}: not valid YAML: ${printable(reason)}`, {
      field,
      cause,
    });
  const complaint = document.errors[0] ?? document.warnings[0];
  if (complaint !== undefined) throw notYaml(at(complaint.pos[0]), withoutText(complaint.message));

  const withoutDoubles = (entries: YamlEntry[]): YamlEntry[] => {
    const names = new Set<string>();
    for (const { name, origin } of entries) {
      if (names.has(name)) throw notYaml(origin, 'a key stands there twice');
      names.add(name);
    }
    return entries;
  };

  return {
    contents: document.contents,
    origin: at(0),
    entriesOf: (node, { what, field: section, origin }) => {
      if (node === null || (isScalar(node) && node.value === null)) return [];
      if (isMap(node))
        return withoutDoubles(
          node.items.map(({ key, value }) => ({
            name: isScalar(key) ? String(key.value) : textOf(key),
            node: value,
            origin: at(isNode(key) ? key.range?.[0] : undefined),
          })),
        );
      throw new MmaplockError('invalid_config', `${what} (${origin}): expected keys with values below it`, {
        field: section,
      });
    },
    plain: (node, origin) => {
      try {
        const value: unknown = isNode(node) ? node.toJS(document) : node;
        // An alias of what it stands in itself makes a value without an end.
        JSON.stringify(value);
        return value;
      } catch (error) {
        // An alias without its anchor, or aliases that multiply beyond the parser's bound.
        const isEndless = error instanceof TypeError || error instanceof RangeError;
        throw notYaml(origin, isEndless ? 'an alias leads to itself' : messageOf(error), error);
      }
    },
  };
};
