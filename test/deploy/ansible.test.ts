/** The example role and its playbooks: all they name exists, and what they write the daemon takes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { parseDocument, stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.js';
import { packageRoot } from '../../src/package-root.js';

const folder = path.join(packageRoot, 'deploy/ansible');
const role = path.join(folder, 'roles/mmaplockd');
const temporary = mkdtempSync(path.join(tmpdir(), 'mmaplockd-ansible-'));
after(() => rmSync(temporary, { recursive: true }));

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.(yml|j2)$/.test(name),
);
const texts = new Map(files.map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]));

// biome-ignore lint/suspicious/noExplicitAny: YAML of many shapes
type Yaml = any;

const read = (name: string): Yaml => {
  const document = parseDocument(texts.get(name) ?? '', { uniqueKeys: true });
  assert.deepEqual([...document.errors, ...document.warnings], [], name);
  return document.toJS();
};

/** Every mapping in a value, however deep. */
const mappings = (value: Yaml): Record<string, Yaml>[] => {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(mappings);
  return Array.isArray(value) ? inner : [value, ...inner];
};

const yamlFiles = files.filter((name) => name.endsWith('.yml'));
const everything = yamlFiles.flatMap((name) => mappings(read(name)));
const defaults = read('roles/mmaplockd/defaults/main.yml');
const documented = read('roles/mmaplockd/meta/argument_specs.yml').argument_specs.main.options;

test('every file is YAML, and every task has a name', () => {
  assert.ok(yamlFiles.length > 8);
  for (const name of yamlFiles.filter((file) => /tasks|handlers/.test(file)))
    for (const task of read(name)) assert.equal(typeof task.name, 'string', name);
});

test('the files, handlers and tasks that are named exist', () => {
  const heard = new Set(
    read('roles/mmaplockd/handlers/main.yml').flatMap(({ name, listen }: Yaml) => [name, listen]),
  );
  let named = 0;
  for (const task of everything) {
    const template = task['ansible.builtin.template']?.src;
    const imported = task['ansible.builtin.import_tasks'] ?? task['ansible.builtin.import_role']?.tasks_from;
    if (template !== undefined) assert.ok(existsSync(path.join(role, 'templates', template)), template);
    if (imported !== undefined) assert.ok(existsSync(path.join(role, 'tasks', imported)), imported);
    if (task.notify !== undefined) assert.ok(heard.has(task.notify), task.notify);
    if (task.vars_files !== undefined)
      for (const file of task.vars_files) assert.ok(existsSync(path.join(folder, file)), file);
    named += [template, imported, task.notify, task.vars_files].filter((one) => one !== undefined).length;
  }
  assert.ok(named >= 7, `${named}`);
});

test('a change is checked first, and then the daemon is restarted', () => {
  const handlers: Yaml[] = read('roles/mmaplockd/handlers/main.yml');
  assert.equal(new Set(handlers.map(({ listen }) => listen)).size, 1, 'one notification reaches both');
  assert.match(handlers[0]['ansible.builtin.shell'], /run --config\.check --config\.file/);
  assert.equal(handlers[1]['ansible.builtin.systemd'].state, 'restarted');
});

test('each variable has a default, and a default is documented', () => {
  assert.deepEqual(Object.keys(documented).sort(), Object.keys(defaults).sort());
  for (const [name, { type, description }] of Object.entries<Yaml>(documented)) {
    assert.ok(description.length > 20, name);
    const kind = { path: 'string', str: 'string', int: 'number', dict: 'object', list: 'object' }[
      type as string
    ];
    assert.equal(typeof defaults[name], kind, name);
    assert.equal(Array.isArray(defaults[name]), type === 'list', name);
  }
});

test('no variable is used that nothing sets', () => {
  const set = new Set([
    ...Object.keys(defaults),
    ...everything.flatMap((one) => [
      ...Object.keys(one.vars ?? {}),
      ...Object.keys(one['ansible.builtin.set_fact'] ?? {}),
      ...(one.register === undefined ? [] : [one.register]),
    ]),
    ...Object.keys(read('gate.yml')),
    'mmaplockd_hosts', // left to the command line, with a default where it is used
  ]);
  const ofRole = new Set<string>();
  for (const [name, text] of texts)
    for (const [variable] of text.replace(/^\s*#.*$/gm, '').matchAll(/\bmmaplockd_\w+\b/g)) {
      assert.ok(set.has(variable), `${name}: nothing sets ${variable}`);
      if (/^roles\/mmaplockd\/(tasks|templates|handlers)/.test(name)) ofRole.add(variable);
    }
  for (const variable of Object.keys(defaults))
    assert.ok(ofRole.has(variable), `${variable} changes nothing`);
});

test('what the template writes the daemon takes, switched off too', () => {
  const template = texts.get('roles/mmaplockd/templates/config.yaml.j2')!;
  for (const key of ['listen_address', 'unix_socket', 'directory', 'allow'])
    assert.match(template, new RegExp(`'${key}'`));
  const ours = {
    web: {
      listen_address: ['127.0.0.1:10465', '192.0.2.7:10465'],
      unix_socket: '/run/mmaplockd/mmaplockd.sock',
    },
    incidents: { directory: '/var/lib/mmaplockd' },
  };
  assert.ok(template.includes(ours.web.unix_socket) && template.includes(ours.incidents.directory));
  const back: Yaml = read('way-back.yml')[0].tasks[0].vars.mmaplockd_probes_allow;
  const file = path.join(temporary, 'config.yaml');
  writeFileSync(file, stringify({ ...ours, probes: { allow: back } }));
  assert.deepEqual(loadConfig({ file }).probes.allow, ['none']);
});

test('the role installs the package of this version, under the name it is built with', () => {
  const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8'));
  assert.equal(defaults.mmaplockd_version, version);
  assert.deepEqual(Object.values(defaults.mmaplockd_architectures).sort(), ['amd64', 'arm64']);
  assert.match(
    texts.get('roles/mmaplockd/tasks/install.yml')!,
    /mmaplockd_\{\{ mmaplockd_version \}\}_\{\{.*\}\}\.deb/,
  );
});

test('a roll-out goes by 1 %, 10 % and all, and ends at the first host that fails', () => {
  const [play] = read('rollout.yml');
  assert.deepEqual(play.serial, ['1%', '10%', '100%']);
  assert.equal(play.any_errors_fatal, true);
  assert.equal(play.max_fail_percentage, 0);
  assert.equal(read('way-back.yml')[0].serial, undefined, 'the way back waits for nobody');
});

test('the gate asks for metrics that the daemon has, and for tracer CPU, losses and shedding', () => {
  const golden = readFileSync(path.join(packageRoot, 'test/metrics/golden.prom'), 'utf8');
  const exposed = new Set(Array.from(golden.matchAll(/^# TYPE (\S+)/gm), ([, name]) => name));
  const gate: { name: string; query: string }[] = read('gate.yml').mmaplockd_gate;
  const asked = gate.flatMap(({ query }) => {
    assert.match(query, /\{instance=~`\(hosts\)\(:\[0-9\]\+\)\?`/, 'asks for the hosts of the step');
    return Array.from(query.matchAll(/\bmmaplock_\w+/g), ([name]) => name);
  });
  for (const name of asked) assert.ok(exposed.has(name), `there is no ${name}`);
  for (const wanted of ['mmaplock_tracer_cpu_seconds_total', 'mmaplock_lost_events_total', 'mmaplock_shed'])
    assert.ok(asked.includes(wanted), wanted);
});

const promtool = [path.join(packageRoot, 'dist/tools/promtool'), 'promtool'].find(
  (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
);

test('Prometheus can read the gate', {
  skip: promtool === undefined && 'promtool is neither in dist/tools nor on PATH',
}, () => {
  const hosts = String.raw`(db\-1\.example\.com|db\-2)`;
  const rules = read('gate.yml').mmaplockd_gate.map(({ query }: { query: string }, index: number) => ({
    record: `gate:${index}`,
    expr: query.replace('(hosts)', hosts),
  }));
  const file = path.join(temporary, 'rules.yaml');
  writeFileSync(file, stringify({ groups: [{ name: 'gate', rules }] }));
  const { status, stderr, stdout } = spawnSync(promtool!, ['check', 'rules', file], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
});
