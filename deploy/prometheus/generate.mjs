/**
 * Writes the rules, made of thresholds.mjs and groups/: `node deploy/prometheus/generate.mjs`. What it writes is
 * committed, and a test compares.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { buildPrometheusRule, buildRules } from './rules.mjs';
import { thresholds as committed } from './thresholds.mjs';

const header = '# Made by deploy/prometheus/generate.mjs from thresholds.mjs and groups/: edit those.\n';

const toYaml = (content) => `${header}${stringify(content, { lineWidth: 0 })}`;

/**
 * @param {import('./thresholds.mjs').Thresholds} [thresholds]
 * @returns {Map<string, string>} text by path, seen from deploy/prometheus
 */
export const generate = (thresholds = committed) =>
  new Map([
    ...Object.entries(buildRules(thresholds)).map(([name, content]) => [`rules/${name}`, toYaml(content)]),
    ['prometheus-rule.yaml', toYaml(buildPrometheusRule(thresholds))],
  ]);

/**
 * Writes all files below a folder.
 * @param {string} folder
 * @param {import('./thresholds.mjs').Thresholds} [thresholds]
 */
export const writeRules = (folder, thresholds = committed) => {
  for (const [path, text] of generate(thresholds)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
};

const self = fileURLToPath(import.meta.url);
if (argv[1] === self) writeRules(dirname(self));
