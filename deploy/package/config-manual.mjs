/**
 * /etc/mmaplockd/config.yaml: a manual of itself, written from src/config/schema.ts. Without the first # of a line that
 * has no blank after it, each setting stands there with its default.
 */
import { wrap, yamlValue } from './words.mjs';

/** Where the package's own directories come in; what it sets is no comment. See deploy/systemd/mmaplockd.service. */
export const packaged = {
  'web.unix_socket': '/run/mmaplockd/mmaplockd.sock',
  'incidents.directory': '/var/lib/mmaplockd',
};

const head = [
  'Settings of mmaplockd. All of them are here, each with what it accepts and its default.',
  '',
  'To change one, remove the # before it and before its section. A flag or an environment variable overrules this ' +
    'file: /etc/default/mmaplockd is the place for both.',
  '',
  'Check it:  mmaplockd run --config.check --config.file /etc/mmaplockd/config.yaml',
  'Use it:    systemctl restart mmaplockd. For log.level alone, systemctl reload mmaplockd will do.',
];

const prose = (text) => wrap(text, 110).map((line) => (line === '' ? '#' : `# ${line}`));

const entry = ({ path, section, flag, variable, schema }, accepted, set) => {
  const key = path.slice(section === '' ? 0 : section.length + 1);
  const indent = section === '' ? '' : '  ';
  const isSet = Object.hasOwn(set, path);
  return [
    ...prose(schema.description),
    ...prose(`Accepts ${accepted(schema)}. Default: ${yamlValue(schema.default)}.`),
    ...(isSet ? prose('This package sets it.') : []),
    ...prose(`Flag --${flag}, environment ${variable}.`),
    `${isSet ? '' : '#'}${indent}${key}: ${yamlValue(isSet ? set[path] : schema.default)}`,
  ];
};

/**
 * @param settings in their order, as src/config/settings.ts has them
 * @param accepted what a value may be, in words
 * @param set values that are no comments, by path
 * @throws Error for a path that is no setting
 */
export const configManual = (settings, accepted, set = packaged) => {
  const unknown = Object.keys(set).filter((path) => !settings.some((setting) => setting.path === path));
  if (unknown.length > 0) throw new Error(`no setting ${unknown.join(', ')}`);
  const sections = [...new Set(settings.map(({ section }) => section))];
  const lines = head.flatMap(prose);
  for (const section of sections) {
    const members = settings.filter((setting) => setting.section === section);
    const isSet = members.some(({ path }) => Object.hasOwn(set, path));
    lines.push('');
    if (section !== '') lines.push(`${isSet ? '' : '#'}${section}:`);
    lines.push(members.map((setting) => entry(setting, accepted, set).join('\n')).join('\n\n'));
  }
  return `${lines.join('\n')}\n`;
};
