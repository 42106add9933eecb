/** Reads the command line by the table of commands. */
import type { FlagValues } from '../config/load.js';
import { accepted, problemWith, valueFromText } from '../config/settings.js';
import { suggest } from '../config/suggest.js';
import { version } from '../config/version.js';
import { type ErrorCode, MmaplockError } from '../errors.js';
import { printable, quoted } from '../text/printable.js';
import { type CommandName, commandNames, commands, type Flag, isCommand } from './commands.js';
import { durationSeconds } from './duration.js';
import type { RecordChoice } from './record/record.js';
import type { TopOptions } from './top/top.js';
import type { Sort } from './top/views.js';

interface CommonArguments {
  /** Settings given as flags, for loadConfig. */
  readonly flags: FlagValues;
  readonly configFile: string | undefined;
}

/** A command line that was understood, by command. */
export type ParsedArguments =
  | (CommonArguments & { readonly command: 'run'; readonly configCheck: boolean })
  | (CommonArguments & { readonly command: 'check'; readonly json: boolean })
  | (CommonArguments & {
      readonly command: 'dump-program';
      readonly fragment: string | undefined;
      readonly inspect: boolean;
    })
  | (CommonArguments & { readonly command: 'record' } & RecordChoice)
  | (CommonArguments & { readonly command: 'top' } & TopOptions)
  | (CommonArguments & { readonly command: 'demo'; readonly seconds: number })
  | (CommonArguments & {
      readonly command: 'support-bundle';
      readonly seconds: number;
      /** `-` is standard output; undefined: a name that is made up. */
      readonly file: string | undefined;
      readonly anonymous: boolean;
    })
  | { readonly command: 'version' }
  | { readonly command: 'help'; readonly topic: CommandName | undefined };

const unknown = (code: ErrorCode, what: string, shown: string, known: Iterable<string>): MmaplockError => {
  const nearest = suggest(shown, known);
  const hint = nearest === undefined ? '' : `; the nearest is ${nearest}`;
  return new MmaplockError(code, `mmaplockd ${version} knows no ${what} ${quoted(shown)}${hint}`, {
    field: printable(shown.slice(0, 120)),
  });
};

const unknownFlag = (dashed: string, command: CommandName): MmaplockError => {
  const owners = commandNames.filter((other) => commands[other].flags.has(dashed.slice(2)));
  if (owners.length === 0 || !dashed.startsWith('--')) {
    const known = [...commands[command].flags.keys(), 'help', 'version'].map((flag) => `--${flag}`);
    return unknown('unknown_flag', 'flag', dashed, known);
  }
  const message = `mmaplockd ${version}: ${command} takes no ${dashed}; ${owners.join(' and ')} can`;
  return new MmaplockError('unknown_flag', message, { field: dashed });
};

const unexpected = (word: string, command: CommandName): MmaplockError => {
  const problem = isCommand(word)
    ? `the command ${word} must stand before all flags`
    : `${command} takes no argument ${quoted(word)}`;
  return new MmaplockError('unknown_command', `mmaplockd ${version}: ${problem}`, {
    field: printable(word.slice(0, 120)),
  });
};

const invalid = (name: string, message: string): MmaplockError =>
  new MmaplockError('invalid_flag', `--${name}: ${message}`, { field: `--${name}` });

const splitOnce = (word: string): [string, string | undefined] => {
  const equals = word.indexOf('=');
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
};

/** The texts given for each flag, the flags known and none given twice that may not be. */
const collectTexts = (words: readonly string[], command: CommandName): Map<string, string[]> => {
  const known: ReadonlyMap<string, Flag> = commands[command].flags;
  const texts = new Map<string, string[]>();
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (!word.startsWith('-')) throw unexpected(word, command);
    const [dashed, inline] = splitOnce(word);
    const name = dashed.slice(2);
    const flag = dashed.startsWith('--') ? known.get(name) : undefined;
    if (flag === undefined) throw unknownFlag(dashed, command);
    let text = inline;
    if (text === undefined && flag.schema.type === 'boolean') text = 'true';
    if (text === undefined) {
      text = words[++index];
      // A lone dash before a value is a negative number, refused later with its range.
      if (text === undefined || text.startsWith('--'))
        throw invalid(name, `expected ${accepted(flag.schema)} after it`);
    }
    const earlier = texts.get(name);
    if (earlier !== undefined && flag.schema.items === undefined) throw invalid(name, 'given twice');
    texts.set(name, [...(earlier ?? []), text]);
  }
  return texts;
};

/**
 * Reads the words after the program's name. The command comes first; without one it is `run`. `--help` and
 * `--version` win over everything else on the line.
 *
 * Errors: `unknown_command`, `unknown_flag`, `invalid_flag` (no value, one that is not accepted, or twice).
 */
export const parseArguments = (argv: readonly string[]): ParsedArguments => {
  const named = argv[0] !== undefined && !argv[0].startsWith('-') ? argv[0] : undefined;
  if (named !== undefined && !isCommand(named))
    throw unknown('unknown_command', 'command', named, commandNames);
  if (argv.some((word) => word === '--help' || word === '-h')) return { command: 'help', topic: named };
  if (argv.includes('--version')) return { command: 'version' };

  const command = named ?? 'run';
  const texts = collectTexts(named === undefined ? argv : argv.slice(1), command);
  const flags: Record<string, unknown> = {};
  const own = new Map<string, unknown>();
  for (const [name, { schema, path }] of commands[command].flags) {
    const given = texts.get(name);
    const value = given === undefined ? schema.default : valueFromText(schema, given);
    const problem = given === undefined ? undefined : problemWith(schema, value);
    if (problem !== undefined) throw invalid(name, problem);
    if (path === undefined) own.set(name, value);
    else if (given !== undefined) flags[path] = value;
  }
  const text = (name: string) => own.get(name) as string | undefined;
  const common = { flags, configFile: text('config.file') };
  switch (command) {
    case 'run':
      return { command, ...common, configCheck: own.get('config.check') === true };
    case 'check':
      return { command, ...common, json: own.get('json') === true };
    case 'dump-program':
      return { command, ...common, fragment: text('fragment'), inspect: own.get('inspect') === true };
    case 'record':
      return {
        command,
        ...common,
        seconds: secondsOf(own.get('for')),
        json: own.get('json') === true,
        html: text('html'),
      };
    case 'top':
      return {
        command,
        ...common,
        url: text('url'),
        intervalSeconds: secondsOf(own.get('interval')),
        once: own.get('once') === true,
        json: own.get('json') === true,
        sort: own.get('sort') as Sort,
        filter: text('filter') ?? '',
      };
    case 'demo':
      return { command, ...common, seconds: Number(own.get('seconds')) };
    case 'support-bundle':
      return {
        command,
        ...common,
        seconds: secondsOf(own.get('for')),
        file: text('file'),
        anonymous: own.get('anonymous') === true,
      };
  }
};

/** Of a duration that its flag accepts. */
const secondsOf = (duration: unknown): number => durationSeconds(String(duration)) as number;
