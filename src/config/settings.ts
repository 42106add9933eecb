/** What follows from the schema for each key: its names in every source, how text is read, what is accepted. */
import { Value } from 'typebox/value';
import { quoted } from '../text/printable.js';
import { configSchema } from './schema.js';

/** The part of a typebox schema that is used here: what JSON Schema says of one value, and our `accepts` and `flag`. */
export interface ValueSchema {
  readonly type?: string;
  readonly enum?: readonly (string | number)[];
  readonly items?: ValueSchema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
  readonly description?: string;
  readonly default?: unknown;
  readonly accepts?: string;
  readonly flag?: string;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
}

/** One key of the configuration. */
export interface Setting {
  /** As in the YAML file, sections joined by dots: `web.listen_address`. */
  readonly path: string;
  /** The first part of the path; empty for a key outside any section. */
  readonly section: string;
  /** Without the dashes before it: `web.listen-address`, unless the schema names it. */
  readonly flag: string;
  /** `MMAPLOCKD_WEB_LISTEN_ADDRESS`. */
  readonly variable: string;
  readonly schema: ValueSchema;
}

const collect = (schema: ValueSchema, parents: readonly string[] = []): Setting[] =>
  Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const keys = [...parents, key];
    if (child.properties !== undefined) return collect(child, keys);
    const path = keys.join('.');
    return {
      path,
      section: parents[0] ?? '',
      flag: child.flag ?? path.replaceAll('_', '-'),
      variable: `MMAPLOCKD_${path.replaceAll('.', '_').toUpperCase()}`,
      schema: child,
    };
  });

/** Every setting by its path, in the order of the schema. */
export const settings: ReadonlyMap<string, Setting> = new Map(
  collect(configSchema).map((setting) => [setting.path, setting]),
);

/** The names of the sections of the YAML file. */
export const sections: ReadonlySet<string> = new Set(
  [...settings.values()].map(({ section }) => section).filter((section) => section !== ''),
);

/** What a value may be, in words: `one of json, pretty, auto`, `a whole number from 1 to 500`. */
export const accepted = (schema: ValueSchema): string => {
  if (schema.accepts !== undefined) return schema.accepts;
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`;
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'array') return `a list, each ${accepted(schema.items ?? {})}`;
  const number = schema.type === 'integer' ? 'a whole number' : 'a number';
  return `${number} from ${schema.minimum} to ${schema.maximum}`;
};

const shown = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? quoted(value) : quoted(JSON.stringify(value) ?? String(value));
};

/** Why the schema refuses a value (`expected ..., got ...`), or undefined if it accepts it. */
export const problemWith = (schema: ValueSchema, value: unknown): string | undefined => {
  const allowed: boolean = Value.Check(schema, value);
  if (allowed) return undefined;
  if (schema.items !== undefined && Array.isArray(value)) {
    const items = schema.items;
    const problem = value.map((item) => problemWith(items, item)).find((found) => found !== undefined);
    if (problem !== undefined) return problem;
    if (schema.maxItems !== undefined && value.length > schema.maxItems)
      return `expected at most ${schema.maxItems}, got ${value.length}`;
    if (value.length === 0) return `expected at least one, each ${accepted(items)}, got an empty list`;
    return `expected no value twice, got ${shown(value.join(','))}`;
  }
  return `expected ${accepted(schema)}, got ${shown(value)}`;
};

const decimal = /^[+-]?\d{1,15}(\.\d{1,15})?$/;

/**
 * Reads the text of a flag or an environment variable as the type the schema asks for. Lists are separated by
 * commas, and a flag may be repeated. Text of another type is returned as it is, for `problemWith` to refuse.
 */
export const valueFromText = (schema: ValueSchema, texts: readonly string[]): unknown => {
  if (schema.items !== undefined) {
    const items = schema.items;
    return texts
      .filter((text) => text.trim() !== '')
      .flatMap((text) => text.split(','))
      .map((item) => valueFromText(items, [item.trim()]));
  }
  const text = texts[0] ?? '';
  if (schema.type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  if ((schema.type === 'integer' || schema.type === 'number') && decimal.test(text)) return Number(text);
  return text;
};
