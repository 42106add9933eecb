/** The commands and their flags: one table, from which the command line is read and `--help` is written. */
import { Type } from 'typebox';
import { settings, type ValueSchema } from '../config/settings.js';
import { durationSeconds } from './duration.js';
import { sorts } from './top/views.js';

/** A flag of one command or more. */
export interface Flag {
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

/** A recording keeps its incidents in memory. */
const whatRecordingNeeds = [
  ...whatTracingNeeds,
  ...settingFlags('incidents').filter(([flag]) => !flag.startsWith('incidents.directory')),
];

const recordedTime = (description: string, preset: string): [string, Flag] => [
  'for',
  {
    schema: Type.Refine(
      Type.String({ description, default: preset, accepts: 'a duration from 1s to 1h, such as 30s or 5m' }),
      (text) => durationSeconds(text) !== undefined,
    ),
  },
];

/** The summary and the flags, without their dashes, of each command. */
export const commands = {
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
      [
        'inspect',
        {
          schema: Type.Boolean({
            description: 'Print the program of inspect mode. It costs others more: run it for some seconds.',
            default: false,
          }),
        },
      ],
      configFile,
      ...whatTracingNeeds,
    ]),
  },
  record: {
    summary: 'Watch this host for a while without a daemon, and tell what was seen.',
    flags: new Map<string, Flag>([
      recordedTime('How long to record.', '30s'),
      ['json', { schema: Type.Boolean({ description: 'Print JSON, for scripts.', default: false }) }],
      [
        'html',
        {
          schema: Type.String({
            description: 'Also write this file, with pictures for a browser; it must not exist yet.',
            minLength: 1,
            accepts: 'a path',
          }),
        },
      ],
      configFile,
      ...whatRecordingNeeds,
    ]),
  },
  top: {
    summary: 'Show who blocks whom, who reads and who waits, live on this terminal.',
    flags: new Map<string, Flag>([
      [
        'url',
        {
          schema: Type.String({
            description:
              'The daemon to ask, with user and password where it wants them. Without it the one of this host: ' +
              'by web.unix_socket, else at web.listen_address.',
            minLength: 1,
            accepts: 'an address such as http://127.0.0.1:10465',
          }),
        },
      ],
      [
        'interval',
        {
          schema: Type.Refine(
            Type.String({
              description: 'Time between two looks.',
              default: '2s',
              accepts: 'a duration from 1s to 1h, such as 2s',
            }),
            (text) => durationSeconds(text) !== undefined,
          ),
        },
      ],
      [
        'once',
        { schema: Type.Boolean({ description: 'Print once what is seen, for a pipe.', default: false }) },
      ],
      ['json', { schema: Type.Boolean({ description: 'Print once as JSON, for scripts.', default: false }) }],
      [
        'sort',
        {
          schema: Type.Enum([...sorts], { description: 'What to sort by at first.', default: 'rate' }),
        },
      ],
      [
        'filter',
        {
          schema: Type.String({
            description: 'Show only lines with this text.',
            default: '',
            accepts: 'a text',
          }),
        },
      ],
      configFile,
      ...settingFlags('web').filter(([flag]) => ['web.listen-address', 'web.unix-socket'].includes(flag)),
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
  'support-bundle': {
    summary: 'Write one file that helps to find out why this host is not observed as it should be.',
    flags: new Map<string, Flag>([
      [
        'file',
        {
          schema: Type.String({
            description:
              'The file to write, which must not exist yet; - is standard output. ' +
              'Without it: mmaplockd-support-HOST-TIME.json in the current directory.',
            minLength: 1,
            accepts: 'a path, or -',
          }),
        },
      ],
      recordedTime('How long to record for it.', '5s'),
      [
        'anonymous',
        {
          schema: Type.Boolean({
            description:
              'Replace names of processes, units and containers, and of this host, by hashes of them.',
            default: false,
          }),
        },
      ],
      configFile,
      ...whatRecordingNeeds,
    ]),
  },
} as const;

export type CommandName = keyof typeof commands;

export const commandNames = Object.keys(commands) as readonly CommandName[];
export const isCommand = (name: string): name is CommandName => Object.hasOwn(commands, name);
