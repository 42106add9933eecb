import { Value } from 'typebox/value';
import { MmaplockError } from '../errors.js';
import { printable, quoted } from '../text/printable.js';
import { readConfigFile, type SourcedValue } from './file.js';
import { type Config, configSchema, noProbes } from './schema.js';
import { problemWith, settings, valueFromText } from './settings.js';
import { suggest } from './suggest.js';
import { version } from './version.js';
import { isProcessName } from './victim-name.js';

/** Values given on the command line, by the path of the setting: `{'log.level': 'debug'}`. */
export type FlagValues = Readonly<Record<string, unknown>>;

export interface ConfigSources {
  readonly flags?: FlagValues;
  /** Usually process.env; only names that begin with MMAPLOCKD_ are looked at. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The path of the YAML file, if there is one. */
  readonly file?: string | undefined;
}

const prefix = 'MMAPLOCKD_';
/**
 * Kubernetes puts these into every container of a namespace that has a Service whose name begins with
 * `mmaplockd`; no setting may be named so.
 */
const serviceLink = /_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

const unknownKey = (name: string, field: string, origin: string, known: Iterable<string>): MmaplockError => {
  const nearest = suggest(name, known);
  const hint = nearest === undefined ? '' : `; the nearest is ${nearest}`;
  return new MmaplockError(
    'unknown_config_key',
    `mmaplockd ${version} knows no key ${quoted(name)} (${origin})${hint}`,
    { field: printable(field.slice(0, 120)) },
  );
};

const fromEnvironment = (env: NonNullable<ConfigSources['env']>): SourcedValue[] => {
  const byVariable = new Map([...settings.values()].map((setting) => [setting.variable, setting]));
  return Object.entries(env).flatMap(([variable, text]) => {
    if (!variable.startsWith(prefix) || text === undefined) return [];
    const setting = byVariable.get(variable);
    if (setting !== undefined) {
      const value = valueFromText(setting.schema, [text]);
      return [{ path: setting.path, value, origin: `environment ${variable}` }];
    }
    if (serviceLink.test(variable)) return [];
    throw unknownKey(variable, variable, 'environment', byVariable.keys());
  });
};

const fromFlags = (flags: FlagValues): SourcedValue[] =>
  Object.entries(flags).map(([path, value]) => ({
    path,
    value,
    origin: `flag --${settings.get(path)?.flag ?? printable(path)}`,
  }));

/** What no single key can tell. */
const checkTogether = (
  { bpftrace, inspect, probes, metrics }: Config,
  origins: ReadonlyMap<string, string>,
): void => {
  const named = (path: string) => `${path} (${origins.get(path) ?? 'default'})`;
  const { stall_seconds: stall, stall_restart_seconds: restart } = bpftrace;
  if (restart <= stall)
    throw new MmaplockError(
      'invalid_config',
      `${named('bpftrace.stall_restart_seconds')}, ${restart}: expected more than ` +
        `${named('bpftrace.stall_seconds')}, ${stall}`,
      { field: 'bpftrace.stall_restart_seconds' },
    );
  if (inspect.api === 'on' && inspect.token_file === '')
    throw new MmaplockError(
      'invalid_config',
      `${named('inspect.api')}, on: needs a file with a token in ${named('inspect.token_file')}, which is empty`,
      { field: 'inspect.token_file' },
    );
  if (probes.allow.includes(noProbes) && probes.allow.length > 1)
    throw new MmaplockError(
      'invalid_config',
      `${named('probes.allow')}, ${probes.allow.join(',')}: expected ${noProbes} alone, or kinds of probes without it`,
      { field: 'probes.allow' },
    );
  const unit = metrics.watched_victims.find((name) => !isProcessName(name));
  if (unit !== undefined && metrics.name_by === 'comm')
    throw new MmaplockError(
      'invalid_config',
      `${named('metrics.watched_victims')}, ${quoted(unit)}: names a unit, which labels show only where ` +
        `${named('metrics.name_by')} is unit`,
      { field: 'metrics.watched_victims' },
    );
};

const nested = (values: ReadonlyMap<string, unknown>): unknown => {
  const root: Record<string, unknown> = {};
  for (const { path, section } of settings.values()) {
    if (section === '') {
      root[path] = values.get(path);
      continue;
    }
    root[section] ??= {};
    (root[section] as Record<string, unknown>)[path.slice(section.length + 1)] = values.get(path);
  }
  return root;
};

/**
 * The daemon's settings: flags over environment over the YAML file over the defaults. Each source is checked
 * in full, also where another one overrides it. Reads nothing but the file.
 *
 * Errors, each naming the key and where it was given (flag, environment, or file and line):
 * `unknown_config_key`, `invalid_config`, `unreadable_config`.
 */
export const loadConfig = ({ flags = {}, env = {}, file }: ConfigSources): Config => {
  const values = new Map(
    [...settings.values()].map(({ path, schema }) => [path, structuredClone(schema.default)]),
  );
  const origins = new Map<string, string>();
  const given = [
    ...(file === undefined ? [] : readConfigFile(file)),
    ...fromEnvironment(env),
    ...fromFlags(flags),
  ];
  for (const { path, value, origin } of given) {
    const setting = settings.get(path);
    if (setting === undefined) throw unknownKey(path, path, origin, settings.keys());
    const problem = problemWith(setting.schema, value);
    if (problem !== undefined) {
      throw new MmaplockError('invalid_config', `${path} (${origin}): ${problem}`, { field: path });
    }
    values.set(path, value);
    origins.set(path, origin);
  }
  const config = nested(values);
  if (!Value.Check(configSchema, config)) {
    throw new MmaplockError('internal_error', 'a default of the configuration schema breaks the schema');
  }
  checkTogether(config, origins);
  return config;
};
