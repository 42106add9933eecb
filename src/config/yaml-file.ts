/** A YAML file of settings, read with the line each of them stands on. Knows no setting. */
import { readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { MmaplockError, messageOf } from '../errors.js';
import { printable } from '../printable.js';

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

const readText = (file: string, field: string): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
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
  const document = parseDocument(readText(file, field), { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined) => `${printable(file)}:${lines.linePos(offset ?? 0).line}`;
  const notYaml = (origin: string, reason: string, cause?: unknown): MmaplockError =>
    new MmaplockError('unreadable_config', `${origin}: not valid YAML: ${printable(reason)}`, {
      field,
      cause,
    });
  const complaint = document.errors[0] ?? document.warnings[0];
  if (complaint !== undefined) throw notYaml(at(complaint.pos[0]), complaint.message);

  return {
    contents: document.contents,
    origin: at(0),
    entriesOf: (node, { what, field: section, origin }) => {
      if (node === null || (isScalar(node) && node.value === null)) return [];
      if (isMap(node))
        return node.items.map(({ key, value }) => ({
          name: isScalar(key) ? String(key.value) : String(key),
          node: value,
          origin: at(isNode(key) ? key.range?.[0] : undefined),
        }));
      throw new MmaplockError('invalid_config', `${what} (${origin}): expected keys with values below it`, {
        field: section,
      });
    },
    plain: (node, origin) => {
      try {
        return isNode(node) ? node.toJS(document) : node;
      } catch (error) {
        // An alias without its anchor, or aliases that multiply beyond the parser's bound.
        throw notYaml(origin, messageOf(error), error);
      }
    },
  };
};
