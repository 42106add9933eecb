/** What is where in the package. */
import { existsSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { filesUnder } from '../bootstrap/build.mjs';
import { CannotGoOn } from '../bootstrap/report.mjs';
import { debian, root } from './paths.mjs';

const lib = 'usr/lib/mmaplockd';
const doc = 'usr/share/doc/mmaplockd';

/** What a fleet takes into its Prometheus and Grafana; the package leaves that to people. */
const examples = [
  ['deploy/prometheus', /\.ya?ml$/],
  ['deploy/grafana', /\.json$/],
];

const exampleFiles = () =>
  examples.flatMap(([folder, ending]) =>
    filesUnder(join(root, folder))
      .filter((path) => ending.test(path))
      .map((path) => ({ path: `${doc}/examples/${relative(join(root, 'deploy'), path)}`, from: path })),
  );

const unitFile = join(root, 'deploy/systemd/mmaplockd.service');

/**
 * @param made `program`: text of the bundle; `page`: texts by file name; `node`: path of Node; `copyright`: its text; `configuration` and
 * `manPage`: the generated texts
 * @returns files in the order of their paths: `path` in the package, `text` or `from` which file; `gzip` where it is to
 * be packed, `mode` unless 0644. Links have a `target`.
 * @throws CannotGoOn where a part is not there
 */
export const packageTree = ({ program, page, node, copyright, configuration, manPage }) => {
  if (!existsSync(unitFile)) throw new CannotGoOn(`there is no ${unitFile}`, 'restore it');
  const fragments = filesUnder(join(root, 'bpf')).filter((path) => /\.btf?$/.test(path));
  const load = filesUnder(join(root, 'src/cli/demo/load'));
  return [
    { path: 'etc/default/mmaplockd', from: join(debian, 'mmaplockd.default'), conffile: true },
    { path: 'etc/mmaplockd/config.yaml', text: configuration, conffile: true },
    { path: 'usr/bin/mmaplockd', from: join(debian, 'mmaplockd'), mode: 0o755 },
    ...fragments.map((path) => ({ path: `${lib}/${relative(root, path)}`, from: path })),
    ...load.map((path) => ({ path: `${lib}/demo/${basename(path)}`, from: path })),
    { path: `${lib}/mmaplockd.mjs`, text: program },
    { path: `${lib}/node`, from: node, mode: 0o755 },
    ...Object.entries(page).map(([name, text]) => ({ path: `${lib}/page/${name}`, text })),
    { path: 'usr/lib/systemd/system/mmaplockd.service', from: unitFile },
    { path: `${doc}/README.md`, from: join(root, 'README.md'), gzip: true },
    { path: `${doc}/changelog`, from: join(debian, 'changelog'), gzip: true },
    { path: `${doc}/copyright`, text: copyright },
    ...exampleFiles(),
    { path: 'usr/share/lintian/overrides/mmaplockd', from: join(debian, 'lintian-overrides') },
    { path: 'usr/share/man/man8/mmaplockd.8', text: manPage, gzip: true },
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
};
