/** mmaplockd(8), written from the table of commands of which --help is written, too. */

/** As man-pages(7) wants them: a dash that is to be typed is \-, and no line begins with a control character. */
const roff = (text) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');

const item = (term, text) => ['.TP', `.B ${roff(term)}`, roff(text)];

const flagItem = ([name, { schema }], accepted) => {
  const value = schema.type === 'boolean' ? '' : ' VALUE';
  const accepts = schema.type === 'boolean' ? '' : ` Accepts ${accepted(schema)}.`;
  const preset = String(schema.default ?? '');
  const told = schema.type === 'boolean' || preset === '' ? '' : ` Default ${preset}.`;
  return item(`--${name}${value}`, `${schema.description}${accepts}${told}`);
};

const files = [
  [
    '/etc/mmaplockd/config.yaml',
    'The settings, each with what it accepts, its default and its environment variable.',
  ],
  ['/etc/default/mmaplockd', 'Environment of the service: ARGS holds further flags.'],
  ['/var/lib/mmaplockd', 'Incidents, one JSON object a line.'],
  ['/run/mmaplockd/mmaplockd.sock', 'The API, for root and the group mmaplockd.'],
];

/**
 * @param commands the table of src/cli/commands.ts
 * @param accepted what a value may be, in words
 * @param about `version`, and `seconds` since the epoch of its date
 */
export const manPage = (commands, accepted, { version, seconds }) => {
  const date = new Date(seconds * 1000).toISOString().slice(0, 10);
  const seen = new Set(commands.run.flags.keys());
  const own = ([name]) => !seen.has(name);
  const lines = [
    '.\\" Written from the tables of the command line: deploy/package/man-page.mjs.',
    `.TH MMAPLOCKD 8 "${date}" "mmaplockd ${version}" "System administration"`,
    '.SH NAME',
    'mmaplockd \\- tell who waits for mmap_lock, and which reader of a proc file made them wait',
    '.SH SYNOPSIS',
    '.B mmaplockd',
    '[\\fICOMMAND\\fR] [\\fIFLAG\\fR]...',
    '.SH DESCRIPTION',
    roff(
      'Watches this host by bpftrace and counts waits for mmap_lock: who waits, in which mode, doing what, for how long, ' +
        'and behind which reader of /proc/PID/maps, smaps and the like. Serves metrics for Prometheus and a JSON API.',
    ),
    '.SH COMMANDS',
    ...Object.entries(commands).flatMap(([name, { summary, flags }]) => [
      ...item(name, summary),
      ...(name === 'run'
        ? []
        : [...flags].filter(own).flatMap((flag) => ['.RS', ...flagItem(flag, accepted), '.RE'])),
    ]),
    '.SH OPTIONS',
    'Those of \\fBrun\\fR; the others take those of them that fit. \\fBmmaplockd\\fR \\fICOMMAND\\fR \\fB\\-\\-help\\fR tells which.',
    ...[...commands.run.flags].flatMap((flag) => flagItem(flag, accepted)),
    '.SH EXIT STATUS',
    roff('0, or 1 for an error. check ends with 0 where all is observed, 1 for a part of it, 2 for nothing.'),
    '.SH SIGNALS',
    ...item(
      'SIGHUP',
      'The settings are read again: the log level changes at once, what needs a new start is named in the log.',
    ),
    ...item('SIGTERM, SIGINT', 'An orderly end.'),
    '.SH FILES',
    ...files.flatMap(([path, text]) => item(path, text)),
    '.SH SEE ALSO',
    '.BR bpftrace (8),',
    '.BR proc (5)',
  ];
  return `${lines.join('\n')}\n`;
};
