/** The rules of deploy/prometheus, as their modules make them and as they are committed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import { loadModule } from '../support/modules.js';

/** See thresholds.mjs for what each means. */
export interface Thresholds {
  jobs: string;
  runbooks: string;
  interval: string;
  windows: { short: string; medium: string; long: string };
  page: { oldestWait: { seconds: number; for: string }; writersBlocked: { share: number } };
  ticket: { writersBlocked: { share: number }; incidents: { count: number } };
  fleet: { share: number; for: string; hosts: number; most: number; gap: number };
}

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface RuleFile {
  readonly groups: readonly {
    readonly name: string;
    readonly interval: string;
    readonly rules: readonly Rule[];
  }[];
}

export interface Generator {
  readonly generate: (thresholds?: Thresholds) => Map<string, string>;
  readonly writeRules: (folder: string, thresholds?: Thresholds) => void;
}

export const prometheusFolder = join(packageRoot, 'deploy/prometheus');

export const { generate, writeRules } = loadModule('deploy/prometheus/generate.mjs') as Generator;
export const { thresholds } = loadModule('deploy/prometheus/thresholds.mjs') as { thresholds: Thresholds };
export const { buildRules } = loadModule('deploy/prometheus/rules.mjs') as {
  buildRules: (thresholds: Thresholds) => Record<string, RuleFile>;
};

export const committed = (path: string): string => readFileSync(join(prometheusFolder, path), 'utf8');

export const rulesOf = (of: Thresholds = thresholds): readonly Rule[] =>
  Object.values(buildRules(of)).flatMap(({ groups }) => groups.flatMap(({ rules }) => rules));

/** Those of the committed thresholds. */
export const alerts = rulesOf().filter(
  (rule): rule is Rule & Required<Pick<Rule, 'alert' | 'labels' | 'annotations'>> => rule.alert !== undefined,
);
