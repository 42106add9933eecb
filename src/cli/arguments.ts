/** The command line: one table of commands and flags, from which it is read and `--help` is written. */
import { Type } from 'typebox';
import type { FlagValues } from '../config/load.js';
import { accepted, problemWith, settings, type ValueSchema, valueFromText } from '../config/settings.js';
import { suggest } from '../config/suggest.js';
import { version } from '../config/version.js';
import { type ErrorCode, MmaplockError } from '../errors.js';
import { printable, quoted } from '../printable.js';

interface CommonArguments {
  /** Settings given as flags, for loadConfig. */
  readonly flags: FlagValues;
  readonly configFile: string | undefined;
}

/** A command line that was understood, by command. */
export type ParsedArguments =
  | (CommonArguments & { readonly command: 'run'; readonly configCheck: boolean })
  | (CommonArguments & { readonly command: 'check'; readonly json: boolean })
  | (CommonArguments & { readonly command: 'dump-program'; readonly fragment: string | undefined })
  | (CommonArguments & { readonly command: 'demo'; readonly seconds: number })
  | { readonly command: 'version' }
  | { readonly command: 'help'; readonly topic: CommandName | undefined };

interface Flag {
  readonly schema: ValueSchema;
  /** The path of the setting it sets; undefined for a flag of the command alone. */
  readonly path?: string;
}

const settingFlags = (...sections: readonly string[]): [string, Flag][] =>
  [...settings.values()]
    .filter(({ section }) => sections.length === 0 || sections.includes(section))
    .map(({ flag, path, schema }) => [flag, { path, schema }]);

const configFile: [string, Flag] = [
  'config.file',
  {
    schema: Type.String({
      description: 'The YAML file with the settings. Flags and environment variables overrule it.',
      minLength: 1,
      accepts: 'a path',
    }),
  },
];

const whatTracingNeeds = settingFlags('log', 'probes', 'bpftrace', 'limits');

/** The summary and the flags, without their dashes, of each command. */
const commands = {
  run: {
    summary: 'Watch this host and serve what is seen. The default command.',
    flags: new Map<string, Flag>([
      configFile,
      [
        'config.check',
        {
          schema: Type.Boolean({
            description: 'Check the settings of all sources, then exit.',
            default: false,
          }),
        },
      ],
      ...settingFlags(),
    ]),
  },
  check: {
    summary: 'Tell what can be observed on this host, what cannot, and how to mend it.',
    flags: new Map<string, Flag>([
      ['json', { schema: Type.Boolean({ description: 'Print JSON, for scripts.', default: false }) }],
      configFile,
      ...whatTracingNeeds,
    ]),
  },
  'dump-program': {
    summary: 'Print the bpftrace program that would run on this host.',
    flags: new Map<string, Flag>([
      [
        'fragment',
        {
          schema: Type.String({
            description: 'Print this fragment only, joined with those it adds to.',
            minLength: 1,
            accepts: 'a name',
          }),
        },
      ],
      configFile,
      ...whatTracingNeeds,
    ]),
  },
  demo: {
    summary: 'Make a reader block a writer on this host, and show who waited for whom.',
    flags: new Map<string, Flag>([
      [
        'seconds',
        {
          schema: Type.Integer({
            description: 'Seconds the demonstration runs.',
            default: 30,
            minimum: 1,
            maximum: 3600,
          }),
        },
      ],
      configFile,
      ...whatTracingNeeds,
      ...settingFlags(''),
    ]),
  },
} as const;

export type CommandName = keyof typeof commands;

const commandNames = Object.keys(commands) as readonly CommandName[];
const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);

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
      return { command, ...common, fragment: text('fragment') };
    case 'demo':
      return { command, ...common, seconds: Number(own.get('seconds')) };
  }
};

const wrap = (text: string, indent: string, width = 100): string => {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line !== '' && indent.length + line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => indent + line).join('\n');
};

const flagHelp = ([name, { schema, path }]: [string, Flag]): string => {
  const value = schema.type === 'boolean' ? '' : ' VALUE';
  const notes = [schema.description];
  if (schema.type !== 'boolean') notes.push(`Accepts ${accepted(schema)}.`);
  if (schema.items !== undefined) notes.push('Separated by commas, or the flag repeated.');
  const preset = String(schema.default ?? '');
  if (preset !== '' && schema.type !== 'boolean') notes.push(`Default ${preset}.`);
  if (path !== undefined) notes.push(`Environment ${settings.get(path)!.variable}.`);
  return `  --${name}${value}\n${wrap(notes.join(' '), '      ')}`;
};

/** What `--help` prints: the commands and the flags of `run`, or one command with its flags. */
export const helpText = (command?: CommandName): string => {
  const width = Math.max(...commandNames.map((name) => name.length));
  const shown = commands[command ?? 'run'];
  const head =
    command === undefined
      ? [
          'mmaplockd tells who waits for mmap_lock on this host, and which reader of /proc/PID/maps made them wait.',
          '',
          'Usage: mmaplockd [COMMAND] [FLAG]...',
          '',
          'Commands:',
          ...commandNames.map((name) => `  ${name.padEnd(width)}  ${commands[name].summary}`),
          '',
          'mmaplockd COMMAND --help tells the flags of a command; mmaplockd --version the version.',
          '',
          'Flags of run:',
        ]
      : [`Usage: mmaplockd ${command} [FLAG]...`, '', shown.summary, '', 'Flags:'];
  return `${[...head, ...[...shown.flags].map(flagHelp)].join('\n')}\n`;
};
