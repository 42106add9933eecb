/** What `--help` prints, written from the table of commands. */
import { accepted, settings } from '../config/settings.js';
import { type CommandName, commandNames, commands, type Flag } from './commands.js';

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
